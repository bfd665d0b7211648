// Four integers of NEON with the dot product, see int8.h. Inputs have a sign, so nothing is added to them.
#pragma once

struct Whole {
    static constexpr int32_t OFFSET = 0;
    int32x4_t v;

    static Whole all(int32_t x) { return {vdupq_n_s32(x)}; }
    static Whole load(const void* p) { return {vreinterpretq_s32_u8(vld1q_u8((const uint8_t*)p))}; }
    static Whole nearest(Vector x) { return {vcvtnq_s32_f32(x.v)}; }
    void store(void* p) const { vst1q_u8((uint8_t*)p, vreinterpretq_u8_s32(v)); }
    void store_bytes(unsigned char* p, int64_t n) const {
        const int16x4_t halves = vmovn_s32(v);
        const int8x8_t bytes = vmovn_s16(vcombine_s16(halves, halves));
        int8_t held[8];
        vst1_s8(held, bytes);
        memcpy(p, held, (size_t)(n >= Vector::WIDTH ? Vector::WIDTH : n));
    }
    Vector floats() const { return {vcvtq_f32_s32(v)}; }
    Whole dot(Whole x, Whole w) const { return {vdotq_s32(v, vreinterpretq_s8_s32(x.v), vreinterpretq_s8_s32(w.v))}; }
};

static inline Whole operator+(Whole a, Whole b) { return {vaddq_s32(a.v, b.v)}; }
static inline Whole operator-(Whole a, Whole b) { return {vsubq_s32(a.v, b.v)}; }
