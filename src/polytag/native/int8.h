// Tagging in int8, by instructions that multiply and add groups of 4; included after low.h, where `Whole` is defined: as many
// integers of 32 bits as a Vector has floats.
//
// Weights have a scale for each column, inputs one for each row, states are multiples of 1/127. Inputs come as x + OFFSET where
// the instructions want them without sign.

struct Int8 {
    typedef unsigned char Element;
    typedef Whole Sum, Lanes;
    static constexpr int64_t GROUP = 4;
    static Element element(float value, float scale) { return (Element)(signed char)__builtin_rintf(value / scale); }

    template <class P>
    static Weights pack(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right) {
        const int64_t columns = filled(n, PANEL);
        float* scales = (float*)allocate(columns * (int64_t)sizeof(float));
        int32_t* offsets = (int32_t*)allocate(columns * (int64_t)sizeof(int32_t));
        Weights w = {};
        if (scales && offsets) {
            for (int64_t c = 0; c < columns; c++) {
                scales[c] = c < n ? scale_of(matrix + c * right, k, down) : 1.0f;
                offsets[c] = 0;
                for (int64_t row = 0; c < n && row < k; row++)
                    offsets[c] += Whole::OFFSET * (signed char)element(matrix[row * down + c * right], scales[c]);
            }
            w = pack_groups<P>(matrix, k, n, down, right, scales, element);
        }
        if (!w.panels) {
            release(scales), release(offsets);
            return {};
        }
        w.scales = scales, w.offsets = offsets;
        return w;
    }
    static float scale_of(const float* column, int64_t k, int64_t down) {
        float largest = 0;
        for (int64_t row = 0; row < k; row++) {
            const float value = __builtin_fabsf(column[row * down]);
            largest = value > largest ? value : largest;
        }
        return largest > 0 ? largest / 127 : 1.0f;
    }

    static void put(Element* out, Vector x, int64_t n) { (Whole::nearest(x) + Whole::all(Whole::OFFSET)).store_bytes(out, n); }
    static void write(Element* out, Vector state, int64_t n) { put(out, state * Vector::all(127.0f), n); }
    static float convert(const float* x, int64_t d, Element* out) {
        Vector largest = Vector::all(0.0f);
        vectors(d, [&](int64_t i, int64_t n) { largest = most(largest, absolute(Vector::load(x + i, n))); });
        float lanes[Vector::WIDTH], top = 0;
        largest.store(lanes);
        for (float lane : lanes) top = lane > top ? lane : top;
        const float scale = top > 0 ? top / 127 : 1.0f;
        vectors(d, [&](int64_t i, int64_t n) { put(out + i, Vector::load(x + i, n) * Vector::all(1 / scale), n); });
        return scale;
    }

    static Whole zero() { return Whole::all(0); }
    static Whole spread(const Element* x) {
        int32_t group;
        memcpy(&group, x, sizeof group);
        return Whole::all(group);
    }
    static Whole load(const Element* w) { return Whole::load(w); }
    static Whole add(Whole sum, Whole x, Whole w) { return sum.dot(x, w); }
    static void store(float* out, Whole sum) { sum.store(out); }
    // Integers -> what they are worth, in place; one unit of the inputs is worth `unit`.
    static void finish(float* sums, const Weights& w, int64_t column, int64_t columns, float unit) {
        for (int64_t i = 0; i < columns; i += Vector::WIDTH) {
            const Whole whole = Whole::load(sums + i) - Whole::load(w.offsets + column + i);
            (whole.floats() * (Vector::load(w.scales + column + i) * Vector::all(unit))).store(sums + i);
        }
    }
};
