// The best tag sequences, all tags of a vector at once; included after tag.h.

static void viterbi(const float* emissions, const float* transitions, const float* start, long steps, const long* sizes,
                    long tags, long* best, float* totals) {
    long total = 0;
    for (long t = 0; t < steps; t++) total += sizes[t];
    const long width = filled(tags, Vector::WIDTH), first = steps ? sizes[0] : 0;
    Arena arena((total * tags + 2 * first * width) * (long)sizeof(float) + 8 * 64);
    float* pointers = arena.take<float>(total * tags);  // where the best path to each tag came from
    float *scores = arena.take<float>(first * width), *next = arena.take<float>(width);
    for (long t = 0, row = 0; t < steps; t++)
        for (long b = 0; b < sizes[t]; b++, row++) {
            float* now = scores + b * width;
            vectors(tags, [&](long i, long n) {
                Vector top = Vector::load(start + i, n), from = Vector::all(0.0f);
                if (t) {
                    top = Vector::all(now[0]) + Vector::load(transitions + i, n);
                    for (long k = 1; k < tags; k++) {  // of equals the first
                        const Vector candidate = Vector::all(now[k]) + Vector::load(transitions + k * tags + i, n);
                        from = where_greater(candidate, top, Vector::all((float)k), from);
                        top = where_greater(candidate, top, candidate, top);
                    }
                    from.store(pointers + row * tags + i, n);
                }
                (top + Vector::load(emissions + row * tags + i, n)).store(next + i, n);
            });
            memcpy(now, next, tags * sizeof(float));
        }
    // Backwards: from the best tag of the last row of each sequence.
    for (long t = steps - 1, row = total; t >= 0; t--) {
        row -= sizes[t];
        for (long b = 0; b < sizes[t]; b++) {
            const long later = t + 1 < steps && b < sizes[t + 1] ? row + sizes[t] + b : -1;
            if (later >= 0) {
                best[row + b] = (long)pointers[later * tags + best[later]];
                continue;
            }
            const float* last = scores + b * width;
            long top = 0;
            for (long k = 1; k < tags; k++)
                if (last[k] > last[top]) top = k;
            best[row + b] = top, totals[b] = last[top];
        }
    }
}
