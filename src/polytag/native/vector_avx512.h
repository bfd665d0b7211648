// Sixteen floats of AVX-512, with the few operations that the kernels need.
#pragma once

#include <immintrin.h>
#include <stdint.h>

struct Vector {
    static constexpr int64_t WIDTH = 16;
    static constexpr int64_t MOST_ROWS = 12;  // of a block: 24 sums, 2 weights and 1 input fill the 32 registers well
    static constexpr int64_t at_once(int64_t rows) { return rows <= 3 ? 8 : 2; }  // vectors of a block's columns
    __m512 v;

    static __mmask16 first(int64_t n) { return n >= WIDTH ? 0xffff : (__mmask16)((1u << n) - 1); }
    static Vector all(float x) { return {_mm512_set1_ps(x)}; }
    static Vector load(const float* p) { return {_mm512_loadu_ps(p)}; }
    static Vector load(const float* p, int64_t n) { return n >= WIDTH ? load(p) : Vector{_mm512_maskz_loadu_ps(first(n), p)}; }
    void store(float* p) const { _mm512_storeu_ps(p, v); }
    void store(float* p, int64_t n) const { n >= WIDTH ? store(p) : _mm512_mask_storeu_ps(p, first(n), v); }
};

static inline Vector operator+(Vector a, Vector b) { return {_mm512_add_ps(a.v, b.v)}; }
static inline Vector operator-(Vector a, Vector b) { return {_mm512_sub_ps(a.v, b.v)}; }
static inline Vector operator*(Vector a, Vector b) { return {_mm512_mul_ps(a.v, b.v)}; }
static inline Vector reciprocal(Vector a) {  // one Newton step after 14 bits: a third of the time of a division
    const Vector y = {_mm512_rcp14_ps(a.v)};
    return {_mm512_mul_ps(y.v, _mm512_fnmadd_ps(a.v, y.v, _mm512_set1_ps(2.0f)))};
}
static inline Vector fused(Vector a, Vector b, Vector c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }  // a b + c
static inline Vector most(Vector a, Vector b) { return {_mm512_max_ps(a.v, b.v)}; }   // b where one is NaN
static inline Vector least(Vector a, Vector b) { return {_mm512_min_ps(a.v, b.v)}; }  // b where one is NaN
static inline Vector nearest(Vector a) { return {_mm512_roundscale_ps(a.v, 0)}; }
static inline Vector times_power_of_two(Vector a, Vector n) { return {_mm512_scalef_ps(a.v, n.v)}; }
static inline Vector rough_reciprocal(Vector a) { return {_mm512_rcp14_ps(a.v)}; }  // 14 bits
static inline Vector absolute(Vector a) { return {_mm512_abs_ps(a.v)}; }
