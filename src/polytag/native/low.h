// Tagging in bfloat16 and int8, by AVX-512 instructions or by AMX tiles; included after tag.h.
//
// Both precisions multiply and add groups of 4 bytes: 2 bfloat16, or 4 int8 (inputs x + 128 without sign, weights with).

// Errors of 1e-4, below what bfloat16 and int8 lose anyway, at half the instructions.
static inline Vector coarse_sigmoid(Vector x) {
    const Vector y = least(Vector::all(126.0f), most(Vector::all(-126.0f), x * Vector::all(-LOG2_E)));
    const Vector n = nearest(y), r = y - n;
    Vector p = Vector::all(0.0558263180f);
    constexpr float lower[] = {0.240153617f, 0.693152708f, 1.0f};
    for (float c : lower) p = fused(p, r, Vector::all(c));
    return {_mm512_rcp14_ps((times_power_of_two(p, n) + Vector::all(1.0f)).v)};
}

struct Bfloat16Elements {
    typedef unsigned short Element;
    typedef __m512 Sum;
    static constexpr long GROUP = 2, FILL = 32;
    static Weights pack(const float* matrix, long k, long n, long down, long right) {
        return pack_groups<Bfloat16Elements>(matrix, k, n, down, right, nullptr, [](float value, float) {
            unsigned bits;
            memcpy(&bits, &value, 4);
            return value != value ? Element(0x7fc0) : Element((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
        });
    }
    static void write(Element* out, Vector state, long n) {
        _mm256_mask_storeu_epi16(out, Vector::first(n), (__m256i)_mm512_cvtneps_pbh(state.v));
    }
    static float convert(const float* x, long d, Element* out) {
        vectors(d, [&](long i, long n) { write(out + i, Vector::load(x + i, n), n); });
        return 1.0f;
    }
    static Sum zero() { return _mm512_setzero_ps(); }
    static Sum add(Sum sum, int x, __m512i w) {
        return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_epi32(x), (__m512bh)w);
    }
    static void store(float* out, Sum sum) { _mm512_store_ps(out, sum); }
    static void finish(float*, const Weights&, long, long, float) {}
};

struct Int8Elements {
    typedef unsigned char Element;
    typedef __m512i Sum;
    static constexpr long GROUP = 4, FILL = 64;
    static Weights pack(const float* matrix, long k, long n, long down, long right) {
        const long columns = filled(n, PANEL);
        float* scales = (float*)aligned_alloc(64, columns * sizeof(float));
        int* offsets = (int*)aligned_alloc(64, columns * sizeof(int));
        for (long c = 0; c < columns; c++) {
            float largest = 0;
            for (long row = 0; c < n && row < k; row++) {
                const float value = __builtin_fabsf(matrix[row * down + c * right]);
                largest = value > largest ? value : largest;
            }
            scales[c] = largest > 0 ? largest / 127 : 1.0f;
            offsets[c] = 0;
        }
        const auto element = [](float value, float scale) { return (Element)(signed char)__builtin_rintf(value / scale); };
        Weights w = pack_groups<Int8Elements>(matrix, k, n, down, right, scales, element);
        for (long c = 0; c < n; c++)
            for (long row = 0; row < k; row++)
                offsets[c] += 128 * (signed char)element(matrix[row * down + c * right], scales[c]);
        w.scales = scales, w.offsets = offsets;
        return w;
    }
    static void put(Element* out, __m512 x, long n) {
        const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(128));
        _mm512_mask_cvtepi32_storeu_epi8(out, Vector::first(n), q);
    }
    static void write(Element* out, Vector state, long n) { put(out, (state * Vector::all(127.0f)).v, n); }
    static float convert(const float* x, long d, Element* out) {
        Vector largest = Vector::all(0.0f);
        vectors(d, [&](long i, long n) { largest = most(largest, {_mm512_abs_ps(Vector::load(x + i, n).v)}); });
        const float top = _mm512_reduce_max_ps(largest.v), scale = top > 0 ? top / 127 : 1.0f;
        vectors(d, [&](long i, long n) { put(out + i, (Vector::load(x + i, n) * Vector::all(1 / scale)).v, n); });
        return scale;
    }
    static Sum zero() { return _mm512_setzero_si512(); }
    static Sum add(Sum sum, int x, __m512i w) { return _mm512_dpbusd_epi32(sum, _mm512_set1_epi32(x), w); }
    static void store(float* out, Sum sum) { _mm512_store_si512(out, sum); }
    // Integers -> what they are worth, in place; one unit of the inputs is worth `unit`.
    static void finish(float* sums, const Weights& w, long column, long columns, float unit) {
        for (long i = 0; i < columns; i += Vector::WIDTH) {
            const __m512i whole = _mm512_sub_epi32(_mm512_load_si512(sums + i), _mm512_loadu_si512(w.offsets + column + i));
            const Vector scale = Vector::load(w.scales + column + i) * Vector::all(unit);
            (Vector{_mm512_cvtepi32_ps(whole)} * scale).store(sums + i);
        }
    }
};

// What both have: coarse gates, and a product that hands out rows of finished sums.
template <class E, class Engine>
struct Low : E {
    static constexpr long ROWS = Engine::ROWS;
    static Vector sigmoid(Vector x) { return coarse_sigmoid(x); }
    static Vector tanh(Vector x) { return fused(Vector::all(2.0f), coarse_sigmoid(x + x), Vector::all(-1.0f)); }
    static void begin() { Engine::begin(); }
    static void end() { Engine::end(); }
    template <class Use>
    static void product(const typename E::Element* a, long stride, long m, const Weights& w, const float* units,
                        const Use& use) {
        alignas(64) float sums[Engine::MOST_ROWS * PANEL];
        const long blocks = (m + Engine::MOST_ROWS - 1) / Engine::MOST_ROWS;
        const char* panel = (const char*)w.panels;
        for (long column = 0; column < w.n; column += PANEL, panel += PANEL * w.k * sizeof(*a)) {
            const long columns = w.n - column < PANEL ? w.n - column : PANEL;
            for (long b = 0, row = 0; b < blocks; b++) {
                const long rows = Engine::ROWS == 1 ? m / blocks + (b < m % blocks)
                                                    : (m - row < Engine::MOST_ROWS ? m - row : Engine::MOST_ROWS);
                Engine::template block<E>(a + row * stride, stride, rows, panel, w.k, columns <= PANEL / 2, sums);
                for (long r = 0; r < rows; r++) {
                    E::finish(sums + r * PANEL, w, column, columns, units ? units[row + r] : 1.0f / 127);
                    use(row + r, column, columns, sums + r * PANEL);
                }
                row += rows;
            }
        }
    }
};
