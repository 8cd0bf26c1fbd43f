/* Joins the dense side to the elements at positions. The includer defines T, the dense side's type,
 * A, the tensor's, LOAD(b), MUL(a, b) and NAME. */

#define JOIN_LINE(name, joined)                                                            \
    static void NAME(name)(const LineRun *r) {                                             \
        A *tensor = r->tensor;                                                             \
        const T *dense = r->dense;                                                         \
        for (int64_t j = 0; j < r->n; j++) {                                               \
            int64_t at = index_offset(r->position[j * r->i_step], r->size) * r->pick_step; \
            A *to = &tensor[j * r->t_step + at], a = *to, b = LOAD(dense[j * r->d_step]);  \
            *to = joined;                                                                  \
        }                                                                                  \
    }
JOIN_LINE(prod, MUL(a, b))
JOIN_LINE(max, a > b || a != a ? a : b)
JOIN_LINE(min, a < b || a != a ? a : b)
#undef JOIN_LINE
#undef T
#undef A
#undef LOAD
#undef MUL
#undef NAME
