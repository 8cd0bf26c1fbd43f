/* Moves elements of one size between picked places and the dense side. The includer defines T and
 * NAME. */

static inline void NAME(run)(T *to, int64_t to_step, const T *from, int64_t from_step, int64_t n) {
    if (to_step == 1 && from_step == 1) {
        memcpy(to, from, (size_t)n * sizeof *to);
    } else {
        for (int64_t i = 0; i < n; i++) to[i * to_step] = from[i * from_step];
    }
}

static void NAME(take)(const PickRun *r) {
    const T *tensor = r->tensor;
    T *dense = r->dense;
    if (r->n == 1) {
        for (int64_t b = 0; b < r->count; b++) dense[r->d_at[b]] = tensor[r->t_at[b]];
        return;
    }
    for (int64_t b = 0; b < r->count; b++) {
        NAME(run)(dense + r->d_at[b], r->d_step, tensor + r->t_at[b], r->t_step, r->n);
    }
}

static void NAME(put)(const PickRun *r) {
    T *tensor = r->tensor;
    const T *dense = r->dense;
    if (r->n == 1) {
        for (int64_t b = 0; b < r->count; b++) tensor[r->t_at[b]] = dense[r->d_at[b]];
        return;
    }
    for (int64_t b = 0; b < r->count; b++) {
        NAME(run)(tensor + r->t_at[b], r->t_step, dense + r->d_at[b], r->d_step, r->n);
    }
}

static void NAME(put_line)(const LineRun *r) {
    T *restrict tensor = r->tensor;
    const T *restrict dense = r->dense;
    const int64_t *restrict position = r->position;
    int64_t n = r->n, i_step = r->i_step, d_step = r->d_step;
    int64_t size = r->size, pick_step = r->pick_step, t_step = r->t_step;
    for (int64_t j = 0; j < n; j++) {
        int64_t at = index_offset(position[j * i_step], size) * pick_step;
        tensor[j * t_step + at] = dense[j * d_step];
    }
}
