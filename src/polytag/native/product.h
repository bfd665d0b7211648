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

// `ROWS` rows of inputs by `VECTORS` vectors of a panel, over k -> out [ROWS][PANEL].
template <long ROWS, long VECTORS>
static inline void block(const float* a, long stride, const float* weights, long k, float* out) {
    constexpr long CHAINS = ROWS * VECTORS >= 8 ? 1 : ROWS * VECTORS >= 4 ? 2 : 4;  // sums that hide an FMA's latency
    Vector sums[CHAINS][ROWS][VECTORS];
    for (auto& chain : sums) for (auto& row : chain) for (Vector& sum : row) sum = Vector::all(0.0f);
    const auto step = [&](long i, Vector(&chain)[ROWS][VECTORS]) __attribute__((always_inline)) {
        Vector w[VECTORS];
        for (long v = 0; v < VECTORS; v++) w[v] = Vector::load(weights + i * PANEL + v * Vector::WIDTH);
        for (long r = 0; r < ROWS; r++) {
            const Vector x = Vector::all(a[r * stride + i]);
            for (long v = 0; v < VECTORS; v++) chain[r][v] = fused(x, w[v], chain[r][v]);
        }
    };
    long i = 0;
    for (; i + CHAINS <= k; i += CHAINS)
        for (long c = 0; c < CHAINS; c++) step(i + c, sums[c]);
    for (; i < k; i++) step(i, sums[0]);
    for (long r = 0; r < ROWS; r++)
        for (long v = 0; v < VECTORS; v++) {
            Vector sum = sums[0][r][v];
            for (long c = 1; c < CHAINS; c++) sum = sum + sums[c][r][v];
            sum.store(out + r * PANEL + v * Vector::WIDTH);
        }
}

typedef void (*Block)(const float*, long, const float*, long, float*);

template <long VECTORS>
static Block block_of(long rows) {
    static constexpr Block blocks[] = {
        block<1, VECTORS>, block<2, VECTORS>, block<3, VECTORS>,
#if defined(MANY_REGISTERS)
        block<4, VECTORS>, block<5, VECTORS>, block<6, VECTORS>, block<7, VECTORS>, block<8, VECTORS>,
        block<9, VECTORS>, block<10, VECTORS>, block<11, VECTORS>, block<12, VECTORS>,
#endif
    };
    return blocks[rows - 1];
}

// a [m, k] by packed weights [k, n]; `use(row, column, columns, sums)` gets one row of a block at a time.
template <class Use>
static inline void product(const float* a, long stride, long m, long k, const float* weights, long n, const Use& use) {
    alignas(64) float sums[Vector::MOST_ROWS * PANEL];
    const long blocks = (m + Vector::MOST_ROWS - 1) / Vector::MOST_ROWS;
    for (long column = 0; column < n; column += PANEL, weights += PANEL * k) {
        const long columns = n - column < PANEL ? n - column : PANEL;
        for (long b = 0, row = 0; b < blocks; b++) {
            const long rows = m / blocks + (b < m % blocks);
            const Block run = columns <= PANEL / 2 ? block_of<PANEL / 2 / Vector::WIDTH>(rows)
                                                   : block_of<PANEL / Vector::WIDTH>(rows);
            run(a + row * stride, stride, weights, k, sums);
            for (long r = 0; r < rows; r++) use(row + r, column, columns, sums + r * PANEL);
            row += rows;
        }
    }
}

// Calls `use(index, n)` for a row of `columns` values in vectors; n < WIDTH in the last one.
template <class Use>
static inline void vectors(long columns, const Use& use) {
    if (columns == PANEL) {  // nearly always: no remainder, so no masks
        for (long i = 0; i < PANEL; i += Vector::WIDTH) use(i, Vector::WIDTH);
        return;
    }
    long i = 0;
    for (; i + Vector::WIDTH <= columns; i += Vector::WIDTH) use(i, Vector::WIDTH);
    if (i < columns) use(i, columns - i);
}

// The rows of one step, how many of them have a state before it, and how many have one after it.
struct Step {
    long first, rows, before, before_first, after;
};

// Calls `use(step)` for each step of a direction, from the first row of the recurrence on, or against it.
template <class Use>
static inline void each_step(long steps, const long* sizes, bool backward, bool against, const Use& use) {
    long total = 0;
    for (long t = 0; t < steps; t++) total += sizes[t];
    const bool down = backward != against;
    for (long i = 0, first = down ? total : 0; i < steps; i++) {
        const long t = down ? steps - 1 - i : i, rows = sizes[t];
        if (down) first -= rows;
        const long before = backward ? (t + 1 < steps ? sizes[t + 1] : 0) : (t ? rows : 0);
        const long after = backward ? (t ? rows : 0) : (t + 1 < steps ? sizes[t + 1] : 0);
        use(Step{first, rows, before, backward ? first + rows : (t ? first - sizes[t - 1] : 0), after});
        if (!down) first += rows;
    }
}
