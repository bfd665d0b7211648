// The recurrence while tagging, written once for every precision; included after product.h, which says what one is.

static constexpr int64_t CHUNK = 128;  // rows that are multiplied at once, unless a step alone has more: they stay in the cache

// The input side of one direction's gates, [n, 3H] with rows `stride` apart, of rows that are loaded.
template <class P>
static void input_gates(const Layer& layer, int64_t direction, const Inputs<P>& inputs, float* out, int64_t stride) {
    for (int64_t gate = 0; gate < 3; gate++) {
        const float* bias = layer.bias ? layer.bias + (direction * 3 + gate) * layer.units : nullptr;
        float* of_gate = out + gate * layer.units;
        inputs.times(layer.input[direction][gate], [&](int64_t row, int64_t column, int64_t columns, const float* sums) {
            float* g = of_gate + row * stride + column;
            vectors(columns, [&](int64_t i, int64_t n) {
                const Vector sum = Vector::load(sums + i);
                (bias ? sum + Vector::load(bias + column + i, n) : sum).store(g + i, n);
            });
        });
    }
}

template <class P>
static bool gates(const Layer& layer, Directions directions, const float* x, int64_t rows, float* out) {
    const int64_t D = layer.inputs, H = layer.units, chunk = rows < CHUNK ? rows : CHUNK;
    Arena arena(Inputs<P>::bytes(chunk, D));
    Inputs<P> inputs(arena, chunk, D);
    if (!arena.memory) return false;
    P::begin();
    for (int64_t first = 0; first < rows; first += CHUNK) {
        inputs.load(x + first * D, D, rows - first < CHUNK ? rows - first : CHUNK);
        for (int64_t direction = directions.first; direction < directions.end; direction++)
            input_gates(layer, direction, inputs, out + first * 6 * H + direction * 3 * H, 6 * H);
    }
    P::end();
    return true;
}

// What one direction of a layer keeps from step to step.
template <class P>
struct Recurrence {
    typedef typename P::Element Element;
    const Layer& layer;
    const int64_t direction, H, KH;
    Element *now, *other;  // states, and r h; where the reset comes after: the next states
    float* h;              // states as they are
    float* out;            // N rows, 2H apart

    void keep(Element* next, float* states, int64_t b, int64_t i, int64_t n, Vector state) const {
        state.store(h + b * H + i, n);
        state.store(states + b * 2 * H + i, n);
        P::write(next + b * KH + i, state, n);
    }

    // One step from the input side of its gates, [rows, 3H], which is written over.
    void advance(const Step& step, float* step_gates) {
        const Vector one = Vector::all(1.0f);
        Element* next = layer.reset_after ? other : now;
        float* states = out + step.first * 2 * H;
        for (int64_t b = step.before; b < step.rows; b++)
            vectors(H, [&](int64_t i, int64_t n) {
                const float* g = step_gates + b * 3 * H + i;
                const Vector z = P::sigmoid(Vector::load(g + H, n)), c = P::tanh(Vector::load(g + 2 * H, n));
                keep(next, states, b, i, n, (one - z) * c);
            });
        const Weights* u = layer.recurrent[direction];
        P::product(now, KH, step.before, u[0], nullptr, [&](int64_t b, int64_t column, int64_t columns, const float* sums) {
            float* g = step_gates + b * 3 * H + column;
            vectors(columns, [&](int64_t i, int64_t n) {
                const Vector r = P::sigmoid(Vector::load(g + i, n) + Vector::load(sums + i));
                if (layer.reset_after)
                    r.store(g + i, n);
                else
                    P::write(other + b * KH + column + i, r * Vector::load(h + b * H + column + i, n), n);
            });
        });
        P::product(now, KH, step.before, u[1], nullptr, [&](int64_t b, int64_t column, int64_t columns, const float* sums) {
            float* g = step_gates + b * 3 * H + H + column;
            vectors(columns, [&](int64_t i, int64_t n) {
                P::sigmoid(Vector::load(g + i, n) + Vector::load(sums + i)).store(g + i, n);
            });
        });
        const Element* inputs = layer.reset_after ? now : other;
        P::product(inputs, KH, step.before, u[2], nullptr, [&](int64_t b, int64_t column, int64_t columns, const float* sums) {
            const float* g = step_gates + b * 3 * H + column;
            vectors(columns, [&](int64_t i, int64_t n) {
                Vector sum = Vector::load(sums + i);
                if (layer.reset_after) sum = sum * Vector::load(g + i, n);
                const Vector c = P::tanh(Vector::load(g + 2 * H + i, n) + sum), z = Vector::load(g + H + i, n);
                keep(next, states, b, column + i, n, fused(z, Vector::load(h + b * H + column + i, n) - c, c));
            });
        });
        if (layer.reset_after) {
            Element* swap = now;
            now = other, other = swap;
        }
    }
};

template <class P>
static bool states(const Layer& layer, Directions directions, const Source& source, int64_t steps, const int64_t* sizes, float* out) {
    typedef typename P::Element Element;
    const int64_t D = layer.inputs, H = layer.units, KH = filled(H, P::FILL), most = steps ? sizes[0] : 0;
    int64_t total = 0;
    for (int64_t t = 0; t < steps; t++) total += sizes[t];
    const int64_t held = source.table ? most : total < CHUNK ? total : CHUNK;  // rows of a table need no product
    const int64_t chunk = most > held ? most : held, size = filled(most, P::ROWS) * KH;
    const int64_t converted = source.table ? 0 : Inputs<P>::bytes(chunk, D);
    Arena arena(converted + 2 * size * (int64_t)sizeof(Element) + (int64_t)sizeof(float) * (chunk * 3 * H + most * H) + 4 * LINE);
    if (!arena.memory) return false;
    Element *now = arena.take<Element>(size), *other = arena.take<Element>(size);
    float *gates = arena.take<float>(chunk * 3 * H), *h = arena.take<float>(most * H);
    Inputs<P> inputs(arena, source.table ? 0 : chunk, D);
    // What fills up rows and columns meets weights of zero: any finite value does, but it must be one.
    memset(now, 0, size * sizeof(Element));
    memset(other, 0, size * sizeof(Element));
    P::begin();
    for (int64_t direction = directions.first; direction < directions.end; direction++) {
        Recurrence<P> recurrence{layer, direction, H, KH, now, other, h, out + direction * H};
        const auto fetch = [&](int64_t first, int64_t n) {
            if (source.table) {
                for (int64_t i = 0; i < n; i++)
                    memcpy(gates + i * 3 * H, source.table + (source.rows[first + i] * 2 + direction) * 3 * H, 3 * H * sizeof(float));
                return;
            }
            inputs.load(source.x + first * D, D, n);
            input_gates(layer, direction, inputs, gates, 3 * H);
        };
        // Runs of steps whose gates are held at once: the rows of a run are neighbours, in either direction.
        int64_t at = 0, end = 0, run = 0;  // run: its first row
        each_step(steps, sizes, direction, false, [&](const Step& step) {
            if (at == end) {
                int64_t n = 0;
                do {
                    n += sizes[direction ? steps - 1 - end : end];
                    end++;
                } while (end < steps && n + sizes[direction ? steps - 1 - end : end] <= chunk);
                run = direction ? step.first + step.rows - n : step.first;
                fetch(run, n);
            }
            at++;
            recurrence.advance(step, gates + (step.first - run) * 3 * H);
        });
    }
    P::end();
    return true;
}

// Rows x [N, D] by each of several matrices [D, K]; a row is converted once for all of them.
template <class P>
static bool project(const Weights* const* matrices, int64_t count, const float* x, int64_t rows, int64_t D, float* const* out) {
    const int64_t chunk = rows < CHUNK ? rows : CHUNK;
    Arena arena(Inputs<P>::bytes(chunk, D));
    Inputs<P> inputs(arena, chunk, D);
    if (!arena.memory) return false;
    P::begin();
    for (int64_t first = 0; first < rows; first += CHUNK) {
        inputs.load(x + first * D, D, rows - first < CHUNK ? rows - first : CHUNK);
        for (int64_t m = 0; m < count; m++) {
            const Weights& weights = *matrices[m];
            inputs.times(weights, [&](int64_t row, int64_t column, int64_t columns, const float* sums) {
                float* to = out[m] + (first + row) * weights.n + column;
                vectors(columns, [&](int64_t i, int64_t n) { Vector::load(sums + i).store(to + i, n); });
            });
        }
    }
    P::end();
    return true;
}
