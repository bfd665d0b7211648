// Sixteen integers of AVX-512 with VNNI, see int8.h.
#pragma once

struct Whole {
    static constexpr int32_t OFFSET = 128;
    __m512i v;

    static Whole all(int32_t x) { return {_mm512_set1_epi32(x)}; }
    static Whole load(const void* p) { return {_mm512_loadu_si512(p)}; }
    static Whole nearest(Vector x) { return {_mm512_cvtps_epi32(x.v)}; }
    void store(void* p) const { _mm512_storeu_si512(p, v); }
    void store_bytes(unsigned char* p, int64_t n) const { _mm512_mask_cvtepi32_storeu_epi8(p, Vector::first(n), v); }
    Vector floats() const { return {_mm512_cvtepi32_ps(v)}; }
    Whole dot(Whole x, Whole w) const { return {_mm512_dpbusd_epi32(v, x.v, w.v)}; }
};

static inline Whole operator+(Whole a, Whole b) { return {_mm512_add_epi32(a.v, b.v)}; }
static inline Whole operator-(Whole a, Whole b) { return {_mm512_sub_epi32(a.v, b.v)}; }
