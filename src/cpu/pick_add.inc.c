/* Adds the dense side onto picked places, in the order of the places. The includer defines T, the
 * dense side's type, A, the tensor's, JOIN(a, b) and NAME. */

static void NAME(add)(const PickRun *r) {
    for (int64_t b = 0; b < r->count; b++) {
        A *restrict to = (A *)r->tensor + r->t_at[b];
        const T *restrict from = (const T *)r->dense + r->d_at[b];
        if (r->t_step == 1 && r->d_step == 1) {
            for (int64_t i = 0; i < r->n; i++) to[i] = JOIN(to[i], from[i]);
            continue;
        }
        for (int64_t i = 0; i < r->n; i++) {
            to[i * r->t_step] = JOIN(to[i * r->t_step], from[i * r->d_step]);
        }
    }
}

static void NAME(add_line)(const LineRun *r) {
    A *restrict tensor = r->tensor;
    const T *restrict dense = r->dense;
    const int64_t *restrict position = r->position;
    int64_t n = r->n, size = r->size, i_step = r->i_step, d_step = r->d_step;
    int64_t t_step = r->t_step, pick_step = r->pick_step;
    for (int64_t j = 0; j < n; j++) {
        int64_t at = index_offset(position[j * i_step], size) * pick_step;
        A *to = &tensor[j * t_step + at];
        *to = JOIN(*to, dense[j * d_step]);
    }
}
