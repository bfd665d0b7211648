// The recurrence while tagging, written once for every precision; included after product.h.
//
// A precision P gives: Element, GROUP (elements of 4 bytes), FILL (what k is filled up to a multiple of), ROWS (what rows
// of inputs are filled up to), pack, convert (a row of inputs), write (states, which lie within -1 and 1), product,
// sigmoid, tanh, and begin and end for a thread's work.

static constexpr long CHUNK = 128;  // rows whose gates are held at once, unless a step alone has more: they stay in the cache

static inline long filled(long n, long multiple) { return (n + multiple - 1) / multiple * multiple; }

// One block of memory, cut into aligned pieces.
struct Arena {
    char* memory;
    long used = 0;
    explicit Arena(long bytes) : memory((char*)aligned_alloc(64, filled(bytes, 64))) {}
    ~Arena() { free(memory); }
    Arena(const Arena&) = delete;
    template <class T>
    T* take(long n) {
        T* piece = (T*)(memory + used);
        used += filled(n * (long)sizeof(T), 64);
        return piece;
    }
};

template <class P>
static void states(const Layer& layer, const float* x, long steps, const long* sizes, long direction, float* out) {
    typedef typename P::Element Element;
    const long D = layer.inputs, H = layer.units, most = steps ? sizes[0] : 0;
    const long KD = filled(D, P::FILL), KH = filled(H, P::FILL);
    const long chunk = most > CHUNK ? most : CHUNK, rows_x = filled(chunk, P::ROWS), rows_h = filled(most, P::ROWS);
    const long bytes = rows_x * KD * sizeof(Element) + 2 * rows_h * KH * sizeof(Element) +
                       sizeof(float) * (rows_x + chunk * 3 * H + most * H);
    Arena arena(bytes + 8 * 64);
    Element *xs = arena.take<Element>(rows_x * KD), *now = arena.take<Element>(rows_h * KH);
    Element* other = arena.take<Element>(rows_h * KH);  // r h; where the reset comes after: the next states
    float *scales = arena.take<float>(rows_x), *gates = arena.take<float>(chunk * 3 * H);
    float* h = arena.take<float>(most * H);
    // What fills up rows and columns meets weights of zero: any finite value does, but it must be one.
    memset(xs, 0, rows_x * KD * sizeof(Element));
    memset(now, 0, 2 * ((char*)other - (char*)now));
    const Vector one = Vector::all(1.0f);
    P::begin();

    const auto project = [&](long first, long n) {
        for (long i = 0; i < n; i++) scales[i] = P::convert(x + (first + i) * D, D, xs + i * KD);
        for (long gate = 0; gate < 3; gate++) {
            const float* bias = layer.bias ? layer.bias + (direction * 3 + gate) * H : nullptr;
            P::product(xs, KD, n, layer.input[direction][gate], scales,
                       [&](long row, long column, long columns, const float* sums) {
                           float* g = gates + row * 3 * H + gate * H + column;
                           vectors(columns, [&](long i, long n) {
                               const Vector sum = Vector::load(sums + i);
                               (bias ? sum + Vector::load(bias + column + i, n) : sum).store(g + i, n);
                           });
                       });
        }
    };
    const auto advance = [&](const Step& step, const float* step_gates_) {
        float* step_gates = (float*)step_gates_;
        Element* next = layer.reset_after ? other : now;
        float* states = out + step.first * 2 * H;
        const auto keep = [&](long b, long i, long n, Vector state) {
            state.store(h + b * H + i, n);
            state.store(states + b * 2 * H + i, n);
            P::write(next + b * KH + i, state, n);
        };
        for (long b = step.before; b < step.rows; b++)
            vectors(H, [&](long i, long n) {
                const float* g = step_gates + b * 3 * H + i;
                const Vector z = P::sigmoid(Vector::load(g + H, n)), c = P::tanh(Vector::load(g + 2 * H, n));
                keep(b, i, n, (one - z) * c);
            });
        const Weights* u = layer.recurrent[direction];
        P::product(now, KH, step.before, u[0], nullptr, [&](long b, long column, long columns, const float* sums) {
            float* g = step_gates + b * 3 * H + column;
            vectors(columns, [&](long i, long n) {
                const Vector r = P::sigmoid(Vector::load(g + i, n) + Vector::load(sums + i));
                if (layer.reset_after)
                    r.store(g + i, n);
                else
                    P::write(other + b * KH + column + i, r * Vector::load(h + b * H + column + i, n), n);
            });
        });
        P::product(now, KH, step.before, u[1], nullptr, [&](long b, long column, long columns, const float* sums) {
            float* g = step_gates + b * 3 * H + H + column;
            vectors(columns, [&](long i, long n) {
                P::sigmoid(Vector::load(g + i, n) + Vector::load(sums + i)).store(g + i, n);
            });
        });
        const Element* inputs = layer.reset_after ? now : other;
        P::product(inputs, KH, step.before, u[2], nullptr, [&](long b, long column, long columns, const float* sums) {
            const float* g = step_gates + b * 3 * H + column;
            vectors(columns, [&](long i, long n) {
                Vector sum = Vector::load(sums + i);
                if (layer.reset_after) sum = sum * Vector::load(g + i, n);
                const Vector c = P::tanh(Vector::load(g + 2 * H + i, n) + sum), z = Vector::load(g + H + i, n);
                keep(b, column + i, n, fused(z, Vector::load(h + b * H + column + i, n) - c, c));
            });
        });
        if (layer.reset_after) {
            Element* swap = now;
            now = other, other = swap;
        }
    };

    // Runs of steps whose gates are held at once: the rows of a run are neighbours, in either direction.
    long at = 0, first = 0, end = 0;
    for (long t = 0; t < steps; t++) first += sizes[t];
    if (!direction) first = 0;
    long projected = 0;  // first row of the run
    each_step(steps, sizes, direction, false, [&](const Step& step) {
        if (at == end) {
            long n = 0;
            do {
                n += sizes[direction ? steps - 1 - end : end];
                end++;
            } while (end < steps && n + sizes[direction ? steps - 1 - end : end] <= chunk);
            projected = direction ? step.first + step.rows - n : step.first;
            project(projected, n);
        }
        at++;
        advance(step, gates + (step.first - projected) * 3 * H);
    });
    P::end();
}

// Rows x [N, D] by each of several matrices [D, K]; a row is converted once for all of them.
template <class P>
static void project(const Weights* const* matrices, long count, const float* x, long rows, long inputs, float* const* out) {
    typedef typename P::Element Element;
    const long width = filled(inputs, P::FILL), size = filled(CHUNK, P::ROWS) * width;
    Arena arena(size * (long)sizeof(Element) + CHUNK * (long)sizeof(float) + 2 * 64);
    Element* xs = arena.take<Element>(size);
    float* scales = arena.take<float>(CHUNK);
    memset(xs, 0, size * sizeof(Element));  // as in `states`
    P::begin();
    for (long first = 0; first < rows; first += CHUNK) {
        const long n = rows - first < CHUNK ? rows - first : CHUNK;
        for (long i = 0; i < n; i++) scales[i] = P::convert(x + (first + i) * inputs, inputs, xs + i * width);
        for (long m = 0; m < count; m++) {
            const Weights& weights = *matrices[m];
            P::product(xs, width, n, weights, scales, [&](long row, long column, long columns, const float* sums) {
                float* to = out[m] + (first + row) * weights.n + column;
                vectors(columns, [&](long i, long n) { Vector::load(sums + i).store(to + i, n); });
            });
        }
    }
    P::end();
}

// Packs a matrix [k, n]; `element(value, scale)` gives an element.
template <class P, class Make>
static Weights pack_groups(const float* matrix, long k, long n, long down, long right, const float* scales,
                           const Make& element) {
    typedef typename P::Element Element;
    const long filled_k = filled(k, P::FILL), panels = (n + PANEL - 1) / PANEL;
    Element* packed = (Element*)aligned_alloc(64, filled(panels * PANEL * filled_k * sizeof(Element), 64));
    for (long c = 0; c < panels * PANEL; c++)
        for (long row = 0; row < filled_k; row++) {
            const bool inside = c < n && row < k;
            const float value = inside ? matrix[row * down + c * right] : 0.0f;
            packed[(c / PANEL * filled_k + row / P::GROUP * P::GROUP) * PANEL + c % PANEL * P::GROUP + row % P::GROUP] =
                inside ? element(value, scales ? scales[c] : 1.0f) : Element(0);
        }
    return {filled_k, n, packed, nullptr, nullptr};
}

struct Float32 {
    typedef float Element;
    static constexpr long GROUP = 1, FILL = 1, ROWS = 1;
    static Weights pack(const float* matrix, long k, long n, long down, long right) {
        return pack_groups<Float32>(matrix, k, n, down, right, nullptr, [](float value, float) { return value; });
    }
    static float convert(const float* x, long d, float* out) {
        memcpy(out, x, d * sizeof(float));
        return 1.0f;
    }
    static void write(float* out, Vector state, long n) { state.store(out, n); }
    static Vector sigmoid(Vector x) { return ::sigmoid(x); }
    static Vector tanh(Vector x) { return tanh_(x); }
    template <class Use>
    static void product(const float* a, long stride, long m, const Weights& w, const float*, const Use& use) {
        ::product(a, stride, m, w.k, (const float*)w.panels, w.n, use);
    }
    static void begin() {}
    static void end() {}
};
