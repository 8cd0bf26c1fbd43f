/* Patches of planes of one element type T. */

/* Positions along an axis whose tap lies inside: [first, end); the first of them meets at. */
typedef struct NAME(Inside) {
    int64_t first, end, at;
} NAME(Inside);

static inline NAME(Inside) NAME(inside)(const PatchesMap *m, int axis, int64_t tap) {
    int64_t offset = tap * m->dilation[axis] - m->padding[axis], stride = m->stride[axis];
    int64_t first = offset < 0 ? (stride - 1 - offset) / stride : 0;
    int64_t end = offset < m->in[axis] ? (m->in[axis] - 1 - offset) / stride + 1 : 0;
    first = first < m->out[axis] ? first : m->out[axis];
    end = end < m->out[axis] ? end : m->out[axis];
    end = end > first ? end : first;
    return (NAME(Inside)){first, end, first * stride + offset};
}

static inline void NAME(take_row)(const T *from, int64_t step, NAME(Inside) x, int64_t n, T *to) {
    for (int64_t i = 0; i < x.first; i++) to[i] = 0;
    if (step == 1) {
        for (int64_t i = x.first; i < x.end; i++) to[i] = from[x.at + i - x.first];
    } else {
        for (int64_t i = x.first; i < x.end; i++) to[i] = from[x.at + (i - x.first) * step];
    }
    for (int64_t i = x.end; i < n; i++) to[i] = 0;
}

static void NAME(take)(const PatchesMap *m, const void *plane, void *columns) {
    T *to = columns;
    for (int64_t ky = 0; ky < m->kernel[0]; ky++) {
        NAME(Inside) rows = NAME(inside)(m, 0, ky);
        for (int64_t kx = 0; kx < m->kernel[1]; kx++) {
            NAME(Inside) x = NAME(inside)(m, 1, kx);
            for (int64_t y = 0; y < m->out[0]; y++, to += m->out[1]) {
                bool meets = y >= rows.first && y < rows.end;
                int64_t row = meets ? rows.at + (y - rows.first) * m->stride[0] : 0;
                NAME(Inside) none = {0, 0, 0};
                NAME(take_row)
                ((const T *)plane + row * m->in[1], m->stride[1], meets ? x : none, m->out[1], to);
            }
        }
    }
}

static void NAME(add)(const PatchesMap *m, const void *columns, void *plane) {
    const T *from = columns;
    for (int64_t ky = 0; ky < m->kernel[0]; ky++) {
        NAME(Inside) rows = NAME(inside)(m, 0, ky);
        for (int64_t kx = 0; kx < m->kernel[1]; kx++, from += m->out[0] * m->out[1]) {
            NAME(Inside) x = NAME(inside)(m, 1, kx);
            int64_t step = m->stride[1];
            for (int64_t y = rows.first; y < rows.end; y++) {
                int64_t row = rows.at + (y - rows.first) * m->stride[0];
                T *to = (T *)plane + row * m->in[1] + x.at;
                const T *g = from + y * m->out[1];
                for (int64_t i = x.first; i < x.end; i++) to[(i - x.first) * step] += g[i];
            }
        }
    }
}
