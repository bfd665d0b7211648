// Tagging in bfloat16 by AVX-512: inputs, states and weights are rounded to 8 bits of mantissa, two of them multiplied at
// once; sums and gates stay float32. Included after low.h.

struct Bfloat16 {
    typedef unsigned short Element;
    typedef Vector Sum;
    typedef __m512i Lanes;
    static constexpr int64_t GROUP = 2;

    template <class P>
    static Weights pack(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right) {
        return pack_groups<P>(matrix, k, n, down, right, nullptr, [](float value, float) {
            unsigned bits;
            memcpy(&bits, &value, 4);
            return value != value ? Element(0x7fc0) : Element((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
        });
    }
    static void write(Element* out, Vector state, int64_t n) {
        _mm256_mask_storeu_epi16(out, Vector::first(n), (__m256i)_mm512_cvtneps_pbh(state.v));
    }
    static float convert(const float* x, int64_t d, Element* out) {
        vectors(d, [&](int64_t i, int64_t n) { write(out + i, Vector::load(x + i, n), n); });
        return 1.0f;
    }
    static Vector zero() { return Vector::all(0.0f); }
    static Lanes spread(const Element* x) {
        int group;
        memcpy(&group, x, sizeof group);
        return _mm512_set1_epi32(group);
    }
    static Lanes load(const Element* w) { return _mm512_loadu_si512(w); }
    static Vector add(Vector sum, Lanes x, Lanes w) { return {_mm512_dpbf16_ps(sum.v, (__m512bh)x, (__m512bh)w)}; }
    static void store(float* out, Vector sum) { sum.store(out); }
    static void finish(float*, const Weights&, int64_t, int64_t, float) {}
};
