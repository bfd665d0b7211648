// Four floats in plain C++ (and the vectors that GCC and Clang know), for every processor without a file of its own.
#pragma once

#include <stdint.h>
#include <string.h>

typedef float Floats __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));

struct Vector {
    static constexpr int64_t WIDTH = 4;
    static constexpr int64_t MOST_ROWS = 2;  // of a block: 8 sums, 2 inputs and 1 weight in 16 registers
    static constexpr int64_t at_once(int64_t rows) { return rows == 1 ? 8 : 4; }  // vectors of a block's columns
    Floats v;

    static Vector all(float x) { return {Floats{x, x, x, x}}; }
    static Vector load(const float* p) { return load(p, WIDTH); }
    static Vector load(const float* p, int64_t n) {
        Floats values = {};
        memcpy(&values, p, (size_t)(n >= WIDTH ? WIDTH : n) * sizeof(float));
        return {values};
    }
    void store(float* p) const { memcpy(p, &v, sizeof v); }
    void store(float* p, int64_t n) const { memcpy(p, &v, (size_t)(n >= WIDTH ? WIDTH : n) * sizeof(float)); }
};

static inline Vector operator+(Vector a, Vector b) { return {a.v + b.v}; }
static inline Vector operator-(Vector a, Vector b) { return {a.v - b.v}; }
static inline Vector operator*(Vector a, Vector b) { return {a.v * b.v}; }
static inline Vector reciprocal(Vector a) { return {1.0f / a.v}; }
static inline Vector fused(Vector a, Vector b, Vector c) { return {a.v * b.v + c.v}; }  // rounded twice
static inline Vector most(Vector a, Vector b) { return {a.v > b.v ? a.v : b.v}; }   // b where one is NaN
static inline Vector least(Vector a, Vector b) { return {a.v < b.v ? a.v : b.v}; }  // b where one is NaN
static inline Vector nearest(Vector a) {  // of less than 2 to the power of 22: a sum so large has no room for halves
    const Vector large = Vector::all(12582912.0f);
    return (a + large) - large;
}
static inline Vector times_power_of_two(Vector a, Vector n) {
    const Ints exponent = (__builtin_convertvector(n.v, Ints) + 127) << 23;
    Floats factor;
    memcpy(&factor, &exponent, sizeof factor);
    return {a.v * factor};
}
