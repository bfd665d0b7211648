// Products, gates and steps, written once for every instruction set; included where `Vector` is defined.
//
// A product is computed in blocks of a few rows by one panel of weights, with all sums in registers; what follows it
// (gates, derivatives) is applied to the block while it is in the first-level cache.

static constexpr float LOG2_E = 1.44269504088896341f;

// 2 to the power of x, x within -126 and 126: a polynomial on [-1/2, 1/2], off by at most 2e-7 of the value. NaN stays NaN.
static inline Vector power_of_two(Vector x) {
    x = least(Vector::all(126.0f), most(Vector::all(-126.0f), x));
    const Vector n = nearest(x), r = x - n;
    Vector p = Vector::all(0.001339086336f);
    constexpr float lower[] = {0.009676031918f, 0.05550357114f, 0.2402210749f, 0.693147188f, 1.0f};
    for (float c : lower) p = fused(p, r, Vector::all(c));
    return times_power_of_two(p, n);
}

static inline Vector sigmoid(Vector x) {
    return reciprocal(Vector::all(1.0f) + power_of_two(x * Vector::all(-LOG2_E)));
}

static inline Vector tanh_(Vector x) {
    const Vector s = reciprocal(Vector::all(1.0f) + power_of_two(x * Vector::all(-2 * LOG2_E)));
    return fused(Vector::all(2.0f), s, Vector::all(-1.0f));
}

// A precision P gives: Element, GROUP (elements of a product's 4 bytes), FILL (what k is filled up to a multiple of), ROWS
// (what rows of inputs are filled up to), Sum (a vector of sums), Lanes (inputs and weights as it is added from), zero, spread
// (a group of inputs in all lanes), load (weights), add, store, finish (sums to values), convert (a row of inputs), write
// (states, which lie within -1 and 1), sigmoid, tanh, product, and begin and end for a thread's work.

// Calls `use(i)` for i from 0 to N - 1, each a constant. Left to themselves compilers unroll loops so late that sums of many
// rows stay in memory, and are stored there in every round.
template <int64_t N, int64_t I = 0, class Use>
static inline __attribute__((always_inline)) void unrolled(const Use& use) {
    struct Index {
        constexpr operator int64_t() const { return I; }
    };
    if constexpr (I < N) {
        use(Index());
        unrolled<N, I + 1>(use);
    }
}
#define UNROLLED [&](const auto& i) __attribute__((always_inline))

// `ROWS` rows of inputs by `VECTORS` vectors of columns, over k -> out [ROWS][VECTORS * WIDTH]. Few rows take columns of
// several panels, to hide the latency of additions; each sum runs over k from first to last whatever else is computed beside
// it, so that a row's result does not depend on its company.
template <class P, int64_t ROWS, int64_t VECTORS>
static void block(const typename P::Element* a, int64_t stride, const typename P::Element* weights, int64_t k, float* out) {
    constexpr int64_t OF_PANEL = PANEL / Vector::WIDTH, SUMS = ROWS * VECTORS;
    const int64_t panel = PANEL * k;
    typename P::Sum sums[SUMS];
    unrolled<SUMS>(UNROLLED { sums[i] = P::zero(); });
    for (int64_t at = 0; at < k; at += P::GROUP) {
        const typename P::Element *w = weights + at * PANEL, *x = a + at;
        typename P::Lanes lanes[ROWS < VECTORS ? ROWS : VECTORS];  // of fewer of the two
        const auto load = [&](int64_t v) __attribute__((always_inline)) {
            return P::load(w + v / OF_PANEL * panel + v % OF_PANEL * Vector::WIDTH * P::GROUP);
        };
        if constexpr (ROWS < VECTORS) {
            unrolled<ROWS>(UNROLLED { lanes[i] = P::spread(x + i * stride); });
            unrolled<VECTORS>([&](const auto& v) __attribute__((always_inline)) {
                const typename P::Lanes weight = load(v);
                unrolled<ROWS>(UNROLLED { sums[i * VECTORS + v] = P::add(sums[i * VECTORS + v], lanes[i], weight); });
            });
        } else {
            unrolled<VECTORS>(UNROLLED { lanes[i] = load(i); });
            unrolled<ROWS>([&](const auto& r) __attribute__((always_inline)) {
                const typename P::Lanes input = P::spread(x + r * stride);
                unrolled<VECTORS>(UNROLLED { sums[r * VECTORS + i] = P::add(sums[r * VECTORS + i], input, lanes[i]); });
            });
        }
    }
    unrolled<SUMS>(UNROLLED { P::store(out + i * Vector::WIDTH, sums[i]); });
}
#undef UNROLLED

template <class P>
using Block = void (*)(const typename P::Element*, int64_t, const typename P::Element*, int64_t, float*);

template <class P, int64_t ROWS, int64_t VECTORS = Vector::at_once(ROWS)>
static Block<P> block_of_vectors(int64_t vectors) {
    if constexpr (VECTORS > 1)
        if (vectors < VECTORS) return block_of_vectors<P, ROWS, VECTORS - 1>(vectors);
    return block<P, ROWS, VECTORS>;
}

template <class P, int64_t ROWS = Vector::MOST_ROWS>
static Block<P> block_of(int64_t rows, int64_t vectors) {
    if constexpr (ROWS > 1)
        if (rows < ROWS) return block_of<P, ROWS - 1>(rows, vectors);
    return block_of_vectors<P, ROWS>(vectors);
}

// a [m, k] by packed weights [k, n] -> `use(row, column, columns, sums)`, some columns of one row at a time. `units`, where
// a precision has them: what one unit of each row is worth.
template <class P, class Use>
static inline void product_in_registers(const typename P::Element* a, int64_t stride, int64_t m, const Weights& w,
                                        const float* units, const Use& use) {
    if (m == 0) return;
    constexpr int64_t MOST = Vector::MOST_ROWS;
    alignas(64) float sums[(MOST * Vector::at_once(MOST) + Vector::at_once(1) + 2 * Vector::at_once(2)) * Vector::WIDTH];
    const int64_t blocks = (m + MOST - 1) / MOST, span = Vector::at_once((m + blocks - 1) / blocks) * Vector::WIDTH;
    for (int64_t column = 0; column < w.n; column += span) {
        const int64_t columns = w.n - column < span ? w.n - column : span;
        const int64_t vectors = (columns + Vector::WIDTH - 1) / Vector::WIDTH;
        const auto* panel = (const typename P::Element*)w.panels + (column / PANEL * w.k * PANEL + column % PANEL * P::GROUP);
        for (int64_t b = 0, row = 0; b < blocks; b++) {
            const int64_t rows = m / blocks + (b < m % blocks);
            block_of<P>(rows, vectors)(a + row * stride, stride, panel, w.k, sums);
            for (int64_t r = 0; r < rows; r++, row++) {
                float* out = sums + r * vectors * Vector::WIDTH;
                P::finish(out, w, column, columns, units ? units[row] : 1.0f / 127);
                use(row, column, columns, out);
            }
        }
    }
}

// Calls `use(index, n)` for a row of `columns` values in vectors; n < WIDTH in the last one.
template <class Use>
static inline void vectors(int64_t columns, const Use& use) {
    if (columns == PANEL) {  // often
        for (int64_t i = 0; i < PANEL; i += Vector::WIDTH) use(i, Vector::WIDTH);
        return;
    }
    int64_t i = 0;  // n is a constant but for the remainder, so that only that needs masks
    for (; i + Vector::WIDTH <= columns; i += Vector::WIDTH) use(i, Vector::WIDTH);
    if (i < columns) use(i, columns - i);
}

// The rows of one step, how many of them have a state before it, and how many have one after it.
struct Step {
    int64_t first, rows, before, before_first, after;
};

// Calls `use(step)` for each step of a direction, from the first row of the recurrence on, or against it.
template <class Use>
static inline void each_step(int64_t steps, const int64_t* sizes, bool backward, bool against, const Use& use) {
    int64_t total = 0;
    for (int64_t t = 0; t < steps; t++) total += sizes[t];
    const bool down = backward != against;
    for (int64_t i = 0, first = down ? total : 0; i < steps; i++) {
        const int64_t t = down ? steps - 1 - i : i, rows = sizes[t];
        if (down) first -= rows;
        const int64_t before = backward ? (t + 1 < steps ? sizes[t + 1] : 0) : (t ? rows : 0);
        const int64_t after = backward ? (t ? rows : 0) : (t + 1 < steps ? sizes[t + 1] : 0);
        use(Step{first, rows, before, backward ? first + rows : (t ? first - sizes[t - 1] : 0), after});
        if (!down) first += rows;
    }
}

// Rows of inputs as a precision multiplies them: in float32 as they are, else converted into memory of its own.
template <class P>
struct Inputs {
    typedef typename P::Element Element;
    static constexpr bool CONVERTS = P::GROUP > 1;
    const int64_t k, width;
    Element* converted = nullptr;
    float* units = nullptr;  // what one unit of each row is worth
    const float* rows = nullptr;
    int64_t m = 0, stride = 0;

    static int64_t bytes(int64_t most, int64_t columns) {
        return CONVERTS ? filled(most, P::ROWS) * (filled(columns, P::FILL) * sizeof(Element) + sizeof(float)) + 2 * LINE : 0;
    }
    Inputs(Arena& arena, int64_t most, int64_t columns) : k(columns), width(filled(columns, P::FILL)) {
        if constexpr (CONVERTS) {
            const int64_t size = filled(most, P::ROWS) * width;
            converted = arena.take<Element>(size);
            units = arena.take<float>(filled(most, P::ROWS));
            if (arena.memory) memset(converted, 0, size * sizeof(Element));  // what fills up meets weights of zero: any finite value does
        }
    }
    void load(const float* from, int64_t apart, int64_t n) {
        rows = from, stride = apart, m = n;
        if constexpr (CONVERTS)
            for (int64_t i = 0; i < m; i++) units[i] = P::convert(rows + i * stride, k, converted + i * width);
    }
    template <class Use>
    void times(const Weights& weights, const Use& use) const {
        if constexpr (CONVERTS)
            P::product(converted, width, m, weights, units, use);
        else
            P::product(rows, stride, m, weights, nullptr, use);
    }
};

// Packs a matrix [k, n]; `element(value, scale)` gives an element.
template <class P, class Make>
static Weights pack_groups(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right, const float* scales,
                           const Make& element) {
    typedef typename P::Element Element;
    const int64_t filled_k = filled(k, P::FILL), panels = (n + PANEL - 1) / PANEL;
    Element* packed = (Element*)allocate(panels * PANEL * filled_k * (int64_t)sizeof(Element));
    if (!packed) return {};
    for (int64_t c = 0; c < panels * PANEL; c++)
        for (int64_t row = 0; row < filled_k; row++) {
            const bool inside = c < n && row < k;
            const float value = inside ? matrix[row * down + c * right] : 0.0f;
            packed[(c / PANEL * filled_k + row / P::GROUP * P::GROUP) * PANEL + c % PANEL * P::GROUP + row % P::GROUP] =
                inside ? element(value, scales ? scales[c] : 1.0f) : Element(0);
        }
    return {filled_k, n, packed, nullptr, nullptr};
}

struct Float32 {
    typedef float Element;
    typedef Vector Sum, Lanes;
    static constexpr int64_t GROUP = 1, FILL = 1, ROWS = 1;
    static Weights pack(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right) {
        return pack_groups<Float32>(matrix, k, n, down, right, nullptr, [](float value, float) { return value; });
    }
    static Vector zero() { return Vector::all(0.0f); }
    static Vector spread(const float* x) { return Vector::all(*x); }
    static Vector load(const float* w) { return Vector::load(w); }
    static Vector add(Vector sum, Vector x, Vector w) { return fused(x, w, sum); }
    static void store(float* out, Vector sum) { sum.store(out); }
    static void finish(float*, const Weights&, int64_t, int64_t, float) {}
    static float convert(const float* x, int64_t d, float* out) {
        memcpy(out, x, d * sizeof(float));
        return 1.0f;
    }
    static void write(float* out, Vector state, int64_t n) { state.store(out, n); }
    static Vector sigmoid(Vector x) { return ::sigmoid(x); }
    static Vector tanh(Vector x) { return tanh_(x); }
    static void begin() {}
    static void end() {}
    template <class Use>
    static void product(const float* a, int64_t stride, int64_t m, const Weights& w, const float* units, const Use& use) {
        product_in_registers<Float32>(a, stride, m, w, units, use);
    }
};
