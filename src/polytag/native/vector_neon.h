// Four floats of NEON, with the few operations that the kernels need.
#pragma once

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

struct Vector {
    static constexpr int64_t WIDTH = 4;
    static constexpr int64_t MOST_ROWS = 3;  // of a block: 24 sums, 3 inputs and 1 weight in 32 registers
    static constexpr int64_t at_once(int64_t rows) { return rows == 1 ? 16 : 8; }  // vectors of a block's columns
    float32x4_t v;

    static Vector all(float x) { return {vdupq_n_f32(x)}; }
    static Vector load(const float* p) { return {vld1q_f32(p)}; }
    static Vector load(const float* p, int64_t n) {
        if (n >= WIDTH) return load(p);
        float values[WIDTH] = {};
        memcpy(values, p, (size_t)n * sizeof(float));
        return load(values);
    }
    void store(float* p) const { vst1q_f32(p, v); }
    void store(float* p, int64_t n) const {
        if (n >= WIDTH) return store(p);
        float values[WIDTH];
        store(values);
        memcpy(p, values, (size_t)n * sizeof(float));
    }
};

static inline Vector operator+(Vector a, Vector b) { return {vaddq_f32(a.v, b.v)}; }
static inline Vector operator-(Vector a, Vector b) { return {vsubq_f32(a.v, b.v)}; }
static inline Vector operator*(Vector a, Vector b) { return {vmulq_f32(a.v, b.v)}; }
static inline Vector reciprocal(Vector a) { return {vdivq_f32(vdupq_n_f32(1.0f), a.v)}; }
static inline Vector rough_reciprocal(Vector a) {  // 16 bits
    const float32x4_t y = vrecpeq_f32(a.v);
    return {vmulq_f32(y, vrecpsq_f32(a.v, y))};
}
static inline Vector fused(Vector a, Vector b, Vector c) { return {vfmaq_f32(c.v, a.v, b.v)}; }  // a b + c
static inline Vector most(Vector a, Vector b) { return {vmaxq_f32(a.v, b.v)}; }   // NaN where one is
static inline Vector least(Vector a, Vector b) { return {vminq_f32(a.v, b.v)}; }  // NaN where one is
static inline Vector absolute(Vector a) { return {vabsq_f32(a.v)}; }
static inline Vector nearest(Vector a) { return {vrndnq_f32(a.v)}; }
static inline Vector times_power_of_two(Vector a, Vector n) {
    const int32x4_t exponent = vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n.v), vdupq_n_s32(127)), 23);
    return {vmulq_f32(a.v, vreinterpretq_f32_s32(exponent))};
}
