// The recurrence while training, forward and backward through time, written once for every precision of the products;
// included after product.h, which says what a precision is.

// Calls `use(share, at, ahead)` for each step in even shares of few rows, so that what all products of a share touch stays
// in the first-level cache. `at` is the place of the first row in its step; the next share lies `ahead` rows further on.
template <class P, class Use>
static inline void each_share(const Scan& s, bool against, const Use& use) {
    constexpr int64_t MOST = Inputs<P>::CONVERTS ? 32 : 12;
    const bool down = s.backward != against;
    const auto within = [](int64_t n, int64_t rows) { return n < 0 ? 0 : n < rows ? n : rows; };
    each_step(s.steps, s.sizes, s.backward, against, [&](const Step& step) {
        const int64_t shares = (step.rows + MOST - 1) / MOST;
        for (int64_t i = 0; i < shares; i++) {
            const int64_t share = down ? shares - 1 - i : i, at = step.rows * share / shares;
            const int64_t rows = step.rows * (share + 1) / shares - at;
            use(Step{step.first + at, rows, within(step.before - at, rows), step.before_first + at, within(step.after - at, rows)},
                at, down ? -MOST : MOST);
        }
    });
}

// Fetches what the next share needs while this one is computed; beyond the end of an array that does nothing.
static inline void fetch(const float* values, int64_t n) {
    for (int64_t i = 0; i < n; i += 16) __builtin_prefetch(values + i, 1);
}

// Weights [k, n] that training packed.
template <class P>
static Weights panels(const void* packed, int64_t k, int64_t n) {
    return {filled(k, P::FILL), n, (void*)packed, nullptr, nullptr};
}

template <class P>
static bool forward(const Scan& s) {
    const int64_t H = s.units, most = s.steps ? s.sizes[0] : 0;
    Arena arena(Inputs<P>::bytes(most, H));
    Inputs<P> inputs(arena, most, H);
    if (!arena.memory) return false;
    const auto weights = [&](int64_t gate) { return panels<P>(s.weights[gate], H, H); };
    P::begin();
    each_share<P>(s, false, [&](const Step& step, int64_t, int64_t ahead) {
        float *gates = s.gates + step.first * 3 * H, *states = s.states + step.first * s.stride;
        float *previous = s.previous + step.first * H, *reset = s.reset + step.first * H;
        for (int64_t b = 0; b < step.rows; b++) {
            const float* from = s.states + (step.before_first + b) * s.stride;
            vectors(H, [&](int64_t i, int64_t n) {
                const Vector h = b < step.before ? Vector::load(from + i, n) : Vector::all(0.0f);
                h.store(previous + b * H + i, n);
                if (b < step.before) return;
                float* g = gates + b * 3 * H + i;  // a first state: h = 0, so nothing depends on r
                const Vector z = sigmoid(Vector::load(g + H, n)), c = tanh_(Vector::load(g + 2 * H, n));
                h.store(g, n), z.store(g + H, n), c.store(g + 2 * H, n), h.store(reset + b * H + i, n);
                ((Vector::all(1.0f) - z) * c).store(states + b * s.stride + i, n);
            });
        }
        inputs.load(previous, H, step.before);
        inputs.times(weights(0), [&](int64_t b, int64_t column, int64_t columns, const float* sums) {
            float *g = gates + b * 3 * H + column, *h = previous + b * H + column, *out = reset + b * H + column;
            fetch(g + ahead * 3 * H, columns);
            fetch(h + ahead * H, columns);
            vectors(columns, [&](int64_t i, int64_t n) {
                const Vector r = sigmoid(Vector::load(g + i, n) + Vector::load(sums + i));
                r.store(g + i, n);
                if (!s.reset_after) (r * Vector::load(h + i, n)).store(out + i, n);
            });
        });
        inputs.times(weights(1), [&](int64_t b, int64_t column, int64_t columns, const float* sums) {
            float* g = gates + b * 3 * H + H + column;
            fetch(g + ahead * 3 * H, columns);
            fetch(reset + (b + ahead) * H + column, columns);
            vectors(columns, [&](int64_t i, int64_t n) {
                sigmoid(Vector::load(g + i, n) + Vector::load(sums + i)).store(g + i, n);
            });
        });
        if (!s.reset_after) inputs.load(reset, H, step.before);
        inputs.times(weights(2), [&](int64_t b, int64_t column, int64_t columns, const float* sums) {
            float *g = gates + b * 3 * H + column, *h = previous + b * H + column;
            float *out = states + b * s.stride + column, *kept = reset + b * H + column;
            fetch(g + (ahead * 3 + 2) * H, columns);
            fetch(out + ahead * s.stride, columns);
            vectors(columns, [&](int64_t i, int64_t n) {
                Vector sum = Vector::load(sums + i);
                if (s.reset_after) {
                    sum.store(kept + i, n);
                    sum = sum * Vector::load(g + i, n);
                }
                const Vector c = tanh_(Vector::load(g + 2 * H + i, n) + sum), z = Vector::load(g + H + i, n);
                c.store(g + 2 * H + i, n);
                fused(z, Vector::load(h + i, n) - c, c).store(out + i, n);  // z h + (1 - z) c
            });
        });
    });
    P::end();
    return true;
}

template <class P>
static bool backward(const Scan& s) {
    const int64_t H = s.units, most = s.steps ? s.sizes[0] : 0;
    Arena arena(Inputs<P>::bytes(most, H) + Inputs<P>::bytes(most, 2 * H));
    Inputs<P> of_candidate(arena, most, H), of_gates(arena, most, 2 * H);
    if (!arena.memory) return false;
    P::begin();
    const Vector one = Vector::all(1.0f);
    each_share<P>(s, true, [&](const Step& step, int64_t at, int64_t ahead) {
        float *gates = s.gates + step.first * 3 * H, *d_gates = s.d_gates + step.first * 3 * H;
        float *previous = s.previous + step.first * H, *reset = s.reset + step.first * H, *carry = s.scratch + at * H;
        float* d_reset = s.reset_after ? s.d_reset + step.first * H : nullptr;
        const float* d_states = s.states + step.first * s.stride;
        for (int64_t b = 0; b < step.rows; b++)
            vectors(H, [&](int64_t i, int64_t n) {
                const float *g = gates + b * 3 * H + i;
                float* d = d_gates + b * 3 * H + i;
                Vector d_h = Vector::load(d_states + b * s.stride + i, n);
                if (b < step.after) d_h = d_h + Vector::load(carry + b * H + i, n);
                const Vector r = Vector::load(g, n), z = Vector::load(g + H, n), c = Vector::load(g + 2 * H, n);
                const Vector d_c = d_h * (one - z) * (one - c * c);
                d_c.store(d + 2 * H, n);
                (d_h * (Vector::load(previous + b * H + i, n) - c) * z * (one - z)).store(d + H, n);
                (d_h * z).store(carry + b * H + i, n);
                if (s.reset_after) {
                    (d_c * r).store(d_reset + b * H + i, n);
                    (d_c * Vector::load(reset + b * H + i, n) * r * (one - r)).store(d, n);
                } else if (b >= step.before) {
                    Vector::all(0.0f).store(d, n);
                }
            });
        of_candidate.load(s.reset_after ? d_reset : d_gates + 2 * H, s.reset_after ? H : 3 * H, step.before);
        of_candidate.times(panels<P>(s.weights[1], H, H), [&](int64_t b, int64_t column, int64_t columns, const float* sums) {
            float *out = carry + b * H + column, *d = d_gates + b * 3 * H + column;
            const float *g = gates + b * 3 * H + column, *h = previous + b * H + column;
            for (int64_t gate = 0; gate < 3; gate++) fetch(g + (ahead * 3 + gate) * H, columns);
            vectors(columns, [&](int64_t i, int64_t n) {
                const Vector sum = Vector::load(sums + i), r = Vector::load(g + i, n);
                if (!s.reset_after) (sum * Vector::load(h + i, n) * r * (one - r)).store(d + i, n);
                fused(sum, s.reset_after ? one : r, Vector::load(out + i, n)).store(out + i, n);
            });
        });
        of_gates.load(d_gates, 3 * H, step.before);
        of_gates.times(panels<P>(s.weights[0], 2 * H, H), [&](int64_t b, int64_t column, int64_t columns, const float* sums) {
            float* out = carry + b * H + column;
            for (int64_t gate = 0; gate < 3; gate++) fetch(d_gates + ((b + ahead) * 3 + gate) * H + column, columns);
            vectors(columns, [&](int64_t i, int64_t n) { (Vector::load(out + i, n) + Vector::load(sums + i)).store(out + i, n); });
        });
    });
    P::end();
    return true;
}
