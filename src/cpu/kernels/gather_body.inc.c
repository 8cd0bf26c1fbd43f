/* Fetches elements of type T; NAME(x) is the name of x for it. */

static ALWAYS_INLINE void NAME(take_by)(const LineRun *r, int64_t i_step, int64_t d_step,
                                        int64_t t_step, int64_t pick_step) {
    const T *restrict tensor = r->tensor;
    T *restrict dense = r->dense;
    const int64_t *restrict position = r->position;
    int64_t n = r->n, size = r->size;
    for (int64_t j = 0; j < n; j++) {
        int64_t at = index_offset(position[j * i_step], size) * pick_step;
        dense[j * d_step] = tensor[j * t_step + at];
    }
}

static void NAME(take)(const LineRun *r) {
    if (r->i_step == 1 && r->d_step == 1 && r->t_step == 0 && r->pick_step == 1) {
        NAME(take_by)(r, 1, 1, 0, 1);
    } else if (r->i_step == 1 && r->d_step == 1 && r->t_step == 1) {
        NAME(take_by)(r, 1, 1, 1, r->pick_step);
    } else {
        NAME(take_by)(r, r->i_step, r->d_step, r->t_step, r->pick_step);
    }
}
