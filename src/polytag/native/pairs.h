// Products of training in bfloat16; included after bfloat16.h and scan.h, for each engine that has them.
//
// Sums are float32, gates as exact as in float32 (their derivatives are needed). Inputs and weights are rounded to
// bfloat16, two of them side by side in a lane of 4 bytes: a "pair" of neighbours in k.

template <class Engine>
struct Exact : Engine {
    static constexpr int64_t FILL = 32;  // pack_pairs fills up to that, whatever the engine needs
    static Vector sigmoid(Vector x) { return ::sigmoid(x); }
    static Vector tanh(Vector x) { return tanh_(x); }
};

typedef Bfloat16::Element Rounded;

// Sixteen lanes of pairs: neighbours in a row of up to 32 floats.
static inline __m512i pairs_along(const float* row, int64_t n) {
    const __m256i low = (__m256i)_mm512_cvtneps_pbh(Vector::load(row, n < 16 ? n : 16).v);
    const __m256i high = n > 16 ? (__m256i)_mm512_cvtneps_pbh(Vector::load(row + 16, n - 16).v) : _mm256_setzero_si256();
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

// Sixteen lanes of pairs: an element and the one below it (zero where there is none), in up to 16 columns.
static inline __m512i pairs_down(const float* row, int64_t down, bool both, int64_t n) {
    const __m512i above = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(Vector::load(row, n).v));
    if (!both) return above;
    const __m512i below = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(Vector::load(row + down, n).v));
    return _mm512_or_si512(above, _mm512_slli_epi32(below, 16));
}

// Calls `use(i, lanes)` for the 16 columns of a square of 16 rows of 16 lanes each.
template <class Use>
static inline void each_column(const int (&square)[16][16], const Use& use) {
    const __m512i places = _mm512_slli_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), 4);
    for (int i = 0; i < 16; i++) use(i, _mm512_i32gather_epi32(places, &square[0][i], 4));
}

static inline int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

// Sixteen columns, or fewer, of a matrix [k, n] -> pairs [k / 2][PANEL], k filled up to a multiple of 32 with zeros.
static void pack_columns(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right, Rounded* panel) {
    const auto put = [&](int64_t pair, __m512i lanes) { _mm512_storeu_si512(panel + pair * PANEL * 2, lanes); };
    if (right == 1) {
        for (int64_t row = 0; row < filled(k, 32); row += 2)
            put(row / 2, row < k ? pairs_down(matrix + row * down, down, row + 1 < k, n) : _mm512_setzero_si512());
        return;
    }
    alignas(64) int square[16][16] = {};
    for (int64_t row = 0; row < k; row += 32) {
        for (int64_t c = 0; c < n; c++) _mm512_store_si512(square[c], pairs_along(matrix + row + c * right, k - row));
        each_column(square, [&](int i, __m512i lanes) { put(row / 2 + i, lanes); });
    }
}

static void pack_panel(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right, Rounded* panel) {
    pack_columns(matrix, k, least_of(n, 16), down, right, panel);
    if (n > 16)
        pack_columns(matrix + 16 * right, k, n - 16, down, right, panel + 32);
    else  // columns of a panel that is half empty are never read by tiles, but by nobody as NaN either
        for (int64_t pair = 0; pair < filled(k, 32) / 2; pair++)
            _mm512_storeu_si512(panel + pair * PANEL * 2 + 32, _mm512_setzero_si512());
}

static void pack_pairs(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right, void* out) {
    Rounded* panel = (Rounded*)out;
    for (int64_t column = 0; column < n; column += PANEL, panel += PANEL * filled(k, 32))
        pack_panel(matrix + column * right, k, least_of(n - column, PANEL), down, right, panel);
}

// Rows of a matrix [m, k] -> bfloat16 in rows of `width`, k filled up with zeros.
static void round_rows(const float* matrix, int64_t m, int64_t k, int64_t down, int64_t right, Rounded* out, int64_t width) {
    if (right == 1) {
        for (int64_t row = 0; row < m; row++)
            for (int64_t i = 0; i < width; i += 32)
                _mm512_storeu_si512(out + row * width + i, pairs_along(matrix + row * down + i, k - i));
        return;
    }
    alignas(64) int square[16][16];
    for (int64_t row = 0; row < m; row += 16)
        for (int64_t i = 0; i < width; i += 32) {
            for (int64_t pair = 0; pair < 16; pair++) {
                const int64_t at = i + 2 * pair;
                const float* from = matrix + row + at * right;
                _mm512_store_si512(square[pair], at < k ? pairs_down(from, right, at + 1 < k, least_of(m - row, 16)) : _mm512_setzero_si512());
            }
            each_column(square, [&](int r, __m512i lanes) {
                if (row + r < m) _mm512_storeu_si512(out + (row + r) * width + i, lanes);
            });
        }
}

template <class P>
static bool multiply(const Product& p, int64_t part, int64_t parts) {
    const int64_t width = filled(p.k, P::FILL), panels = (p.n + PANEL - 1) / PANEL;
    Arena arena((filled(p.m, P::ROWS) + PANEL) * width * sizeof(Rounded) + 2 * 64);
    Rounded *rows = arena.take<Rounded>(filled(p.m, P::ROWS) * width), *panel = arena.take<Rounded>(PANEL * width);
    if (!arena.memory) return false;
    round_rows(p.a, p.m, p.k, p.a_down, p.a_right, rows, width);
    P::begin();
    for (int64_t i = panels * part / parts; i < panels * (part + 1) / parts; i++) {
        const int64_t column = i * PANEL;
        const Weights weights = {width, least_of(p.n - column, PANEL), panel, nullptr, nullptr};
        pack_panel(p.b + column * p.b_right, p.k, weights.n, p.b_down, p.b_right, panel);
        P::product(rows, width, p.m, weights, nullptr, [&](int64_t row, int64_t, int64_t columns, const float* sums) {
            float* out = p.out + row * p.stride + column;
            vectors(columns, [&](int64_t j, int64_t n) {
                Vector sum = Vector::load(sums + j);
                if (p.bias) sum = sum + Vector::load(p.bias + column + j, n);
                if (p.adds) sum = sum + Vector::load(out + j, n);
                sum.store(out + j, n);
            });
        });
    }
    P::end();
    return true;
}
