// What precisions below float32 have in common; included after product.h.

// Errors of 1e-4, below what bfloat16 and int8 lose anyway, at half the instructions.
static inline Vector coarse_sigmoid(Vector x) {
    const Vector y = least(Vector::all(126.0f), most(Vector::all(-126.0f), x * Vector::all(-LOG2_E)));
    const Vector n = nearest(y), r = y - n;
    Vector p = Vector::all(0.0558263180f);
    constexpr float lower[] = {0.240153617f, 0.693152708f, 1.0f};
    for (float c : lower) p = fused(p, r, Vector::all(c));
    return rough_reciprocal(times_power_of_two(p, n) + Vector::all(1.0f));
}

// Elements E of which 4 bytes are multiplied at once, with sums in registers as in product.h.
template <class E>
struct Registers : E {
    static constexpr int64_t FILL = E::GROUP, ROWS = 1;
    static Weights pack(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right) {
        return E::template pack<Registers>(matrix, k, n, down, right);
    }
    static Vector sigmoid(Vector x) { return coarse_sigmoid(x); }
    static Vector tanh(Vector x) { return fused(Vector::all(2.0f), coarse_sigmoid(x + x), Vector::all(-1.0f)); }
    static void begin() {}
    static void end() {}
    template <class Use>
    static void product(const typename E::Element* a, int64_t stride, int64_t m, const Weights& w, const float* units,
                        const Use& use) {
        product_in_registers<E>(a, stride, m, w, units, use);
    }
};
