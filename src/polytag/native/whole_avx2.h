// Eight integers of AVX2 with AVX-VNNI, see int8.h.
#pragma once

struct Whole {
    static constexpr int32_t OFFSET = 128;
    __m256i v;

    static Whole all(int32_t x) { return {_mm256_set1_epi32(x)}; }
    static Whole load(const void* p) { return {_mm256_loadu_si256((const __m256i*)p)}; }
    static Whole nearest(Vector x) { return {_mm256_cvtps_epi32(x.v)}; }
    void store(void* p) const { _mm256_storeu_si256((__m256i*)p, v); }
    void store_bytes(unsigned char* p, int64_t n) const {
        const __m128i low = _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
        const __m128i a = _mm_shuffle_epi8(_mm256_castsi256_si128(v), low);
        const __m128i b = _mm_shuffle_epi8(_mm256_extracti128_si256(v, 1), low);
        const __m128i bytes = _mm_unpacklo_epi32(a, b);
        if (n >= Vector::WIDTH) return _mm_storel_epi64((__m128i*)p, bytes);
        unsigned char held[8];
        _mm_storel_epi64((__m128i*)held, bytes);
        memcpy(p, held, (size_t)n);
    }
    Vector floats() const { return {_mm256_cvtepi32_ps(v)}; }
#if defined(__AVXVNNI__)
    Whole dot(Whole x, Whole w) const { return {_mm256_dpbusd_avx_epi32(v, x.v, w.v)}; }
#else  // the same in AVX-512's encoding: for tests on processors that have only that
    Whole dot(Whole x, Whole w) const { return {_mm256_dpbusd_epi32(v, x.v, w.v)}; }
#endif
};

static inline Whole operator+(Whole a, Whole b) { return {_mm256_add_epi32(a.v, b.v)}; }
static inline Whole operator-(Whole a, Whole b) { return {_mm256_sub_epi32(a.v, b.v)}; }
