// Eight floats of AVX2 and FMA, with the few operations that the kernels need.
#pragma once

#include <immintrin.h>
#include <stdint.h>

struct Vector {
    static constexpr int64_t WIDTH = 8;
    static constexpr int64_t MOST_ROWS = 3;  // of a block: 12 sums, 1 weight and 3 inputs in 16 registers
    static constexpr int64_t at_once(int64_t rows) { return rows == 1 ? 8 : 4; }  // vectors of a block's columns
    __m256 v;

    static __m256i first(int64_t n) {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    static Vector all(float x) { return {_mm256_set1_ps(x)}; }
    static Vector load(const float* p) { return {_mm256_loadu_ps(p)}; }
    static Vector load(const float* p, int64_t n) { return n >= WIDTH ? load(p) : Vector{_mm256_maskload_ps(p, first(n))}; }
    void store(float* p) const { _mm256_storeu_ps(p, v); }
    void store(float* p, int64_t n) const { n >= WIDTH ? store(p) : _mm256_maskstore_ps(p, first(n), v); }
};

static inline Vector operator+(Vector a, Vector b) { return {_mm256_add_ps(a.v, b.v)}; }
static inline Vector operator-(Vector a, Vector b) { return {_mm256_sub_ps(a.v, b.v)}; }
static inline Vector operator*(Vector a, Vector b) { return {_mm256_mul_ps(a.v, b.v)}; }
static inline Vector reciprocal(Vector a) { return {_mm256_div_ps(_mm256_set1_ps(1.0f), a.v)}; }
static inline Vector fused(Vector a, Vector b, Vector c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }  // a b + c
static inline Vector most(Vector a, Vector b) { return {_mm256_max_ps(a.v, b.v)}; }   // b where one is NaN
static inline Vector least(Vector a, Vector b) { return {_mm256_min_ps(a.v, b.v)}; }  // b where one is NaN
static inline Vector nearest(Vector a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
static inline Vector times_power_of_two(Vector a, Vector n) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127)), 23);
    return {_mm256_mul_ps(a.v, _mm256_castsi256_ps(exponent))};
}
static inline Vector rough_reciprocal(Vector a) { return reciprocal(a); }
static inline Vector absolute(Vector a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
