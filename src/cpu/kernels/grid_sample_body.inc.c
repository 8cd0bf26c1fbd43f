/* Looking images of one element type T up, on top of turn_body.inc.c. Corners of a point outside
 * the image, and those without weight, count as nothing, whatever the image holds. */

typedef struct NAME(Taps) {
    int32_t index[4][GRID_CHUNK];
    T weight[4][GRID_CHUNK];
} NAME(Taps);

typedef struct NAME(Corners) {
    int count;
    int32_t offset[GRID_CORNERS][GRID_CHUNK];
    T weight[GRID_CORNERS][GRID_CHUNK];
} NAME(Corners);

static inline void NAME(put_tap)(NAME(Taps) * t, int tap, int64_t p, double at, int64_t size,
                                 double weight) {
    bool inside = at >= 0 && at <= (double)(size - 1);
    t->index[tap][p] = inside ? (int32_t)at : 0;
    t->weight[tap][p] = inside ? (T)weight : 0;
}

static void NAME(linear_taps)(const Place *place, int64_t n, int64_t size, int order,
                              NAME(Taps) * t) {
    for (int64_t p = 0; p < n; p++) {
        double left = floor(place[p].at), share = place[p].at - left, slope = place[p].slope;
        double low = order == 0 ? 1 - share : order == 1 ? -slope : 0;
        double high = order == 0 ? share : order == 1 ? slope : 0;
        NAME(put_tap)(t, 0, p, left, size, low);
        NAME(put_tap)(t, 1, p, left + 1, size, high);
    }
}

static void NAME(cubic_taps)(const GridShape *g, const Place *place, int64_t n, int64_t size,
                             int order, NAME(Taps) * t) {
    for (int64_t p = 0; p < n; p++) {
        double left = floor(place[p].at), share = place[p].at - left;
        for (int k = 0; k < 4; k++) {
            double d = fabs(share + 1 - k), sign = k < 2 ? 1 : -1;
            double w = f_cubic_weight(k == 0 || k == 3, order, d);
            w *= pow(sign * place[p].slope, order);
            Place tap = padded(g, (Place){left - 1 + k, 0}, size);
            NAME(put_tap)(t, k, p, tap.at, size, w);
        }
    }
}

/* What each of n points takes along one axis. */
static void NAME(axis_taps)(const GridRun *r, int axis, int order, NAME(Taps) * t) {
    const GridShape *g = r->shape;
    if (r->n < GRID_CHUNK) {
        memset(t, 0, sizeof *t);
    }
    const T *grid = (const T *)r->grid + axis;
    int64_t size = g->size[axis];
    Place place[GRID_CHUNK];
    double half = (double)(g->align_corners ? size - 1 : size) / 2;
    double middle = (double)(size - 1) / 2;
    for (int64_t p = 0; p < r->n; p++) {
        place[p] = (Place){(double)grid[p * g->dims] * half + middle, half};
    }
    if (g->mode == GRID_CUBIC) {
        NAME(cubic_taps)(g, place, r->n, size, order, t);
        return;
    }
    for (int64_t p = 0; p < r->n && g->padding != GRID_ZEROS; p++) {
        place[p] = padded(g, place[p], size);
    }
    if (g->mode == GRID_LINEAR) {
        NAME(linear_taps)(place, r->n, size, order, t);
        return;
    }
    for (int64_t p = 0; p < r->n; p++) {
        NAME(put_tap)(t, 0, p, nearbyint(place[p].at), size, order == 0 ? 1 : 0);
    }
}

/* What n points take along each axis, for the orders that are asked for. */
static void NAME(all_taps)(const GridRun *r, int more, NAME(Taps) * taps) {
    for (int a = 0; a < r->shape->dims; a++) {
        NAME(axis_taps)(r, a, r->shape->order[a] + more, &taps[a]);
    }
}

/* The corners of n points: the products of what each axis takes. What lies behind n, up to the
 * chunk's end, has no weight. */
static void NAME(corners)(const GridRun *r, const NAME(Taps) *const *taps, NAME(Corners) * c) {
    const GridShape *g = r->shape;
    int each = taps_of_mode[g->mode];
    int32_t step = 1;
    memset(c->offset[0], 0, sizeof c->offset[0]);
    for (int64_t p = 0; p < GRID_CHUNK; p++) {
        c->weight[0][p] = p < r->n ? 1 : 0;
    }
    c->count = 1;
    for (int a = 0; a < g->dims; a++) {
        /* From the last tap on, as the corners so far are what tap 0 goes to. */
        for (int k = each - 1; k >= 0; k--) {
            for (int i = 0; i < c->count; i++) {
                int to = k * c->count + i;
                for (int64_t p = 0; p < GRID_CHUNK; p++) {
                    c->offset[to][p] = c->offset[i][p] + taps[a]->index[k][p] * step;
                    c->weight[to][p] = c->weight[i][p] * taps[a]->weight[k][p];
                }
            }
        }
        c->count *= each;
        step *= (int32_t)g->size[a];
    }
}

static NAME(Corners) * NAME(plain_corners)(const GridRun *r, void *work) {
    NAME(Corners) *c = work;
    NAME(Taps) *taps = (NAME(Taps) *)(c + 1);
    NAME(all_taps)(r, 0, taps);
    const NAME(Taps) * of[] = {&taps[0], &taps[1], &taps[2]};
    NAME(corners)(r, of, c);
    return c;
}

static ALWAYS_INLINE V NAME(gathered)(const T *plane, const int32_t *offset) {
#if defined(__AVX512F__)
    return (V)GATHER_512(plane, offset);
#elif defined(__AVX2__)
    return (V)GATHER_256(plane, offset);
#else
    V x;
    for (int i = 0; i < VL; i++) {
        x[i] = plane[offset[i]];
    }
    return x;
#endif
}

/* weight * x, and nothing where there is no weight. */
static ALWAYS_INLINE V NAME(weighed)(const T *weight, V x) {
    V w = *(const V *)weight;
    return (V)((NAME(VI))(w * x) & (w != 0));
}

static void NAME(sample)(const GridRun *r, const void *image, void *result, void *work) {
    const NAME(Corners) *c = NAME(plain_corners)(r, work);
    T rest[VECTOR_BYTES / sizeof(T)];
    for (int64_t channel = 0; channel < r->channels; channel++) {
        const T *plane = (const T *)image + channel * r->plane;
        T *to = (T *)result + channel * r->out;
        for (int64_t p = 0; p < r->n; p += VL) {
            V sum = {0};
            for (int k = 0; k < c->count; k++) {
                sum += NAME(weighed)(&c->weight[k][p], NAME(gathered)(plane, &c->offset[k][p]));
            }
            if (p + VL <= r->n) {
                *(V *)(to + p) = sum;
            } else {
                *(V *)rest = sum;
                memcpy(to + p, rest, (size_t)(r->n - p) * sizeof(T));
            }
        }
    }
}

static void NAME(scatter)(const GridRun *r, const void *grad, void *image, void *work) {
    const NAME(Corners) *c = NAME(plain_corners)(r, work);
    for (int64_t channel = 0; channel < r->channels; channel++) {
        T *plane = (T *)image + channel * r->plane;
        const T *from = (const T *)grad + channel * r->out;
        for (int64_t p = 0; p < r->n; p++) {
            for (int k = 0; k < c->count; k++) {
                if (c->weight[k][p] != 0) {
                    plane[c->offset[k][p]] += c->weight[k][p] * from[p];
                }
            }
        }
    }
}

/* What corners, taps and sums by_place() needs. */
typedef struct NAME(Slopes) {
    NAME(Corners) corners[GRID_DIMS]; /* for the derivative by each axis */
    NAME(Taps) taps[GRID_DIMS], steeper[GRID_DIMS];
    T grad[GRID_CHUNK], sum[GRID_DIMS][GRID_CHUNK];
} NAME(Slopes);

/* Adds what one channel's pixels give, for each of dims axes, times its gradients. */
static ALWAYS_INLINE void NAME(add_slopes)(const int dims, int64_t n, const T *plane,
                                           NAME(Slopes) * s) {
    const NAME(Corners) *c = s->corners;
    for (int64_t p = 0; p < n; p += VL) {
        V by_x = {0}, by_y = {0}, by_z = {0}, g = *(const V *)&s->grad[p];
        for (int k = 0; k < c[0].count; k++) {
            V pixel = NAME(gathered)(plane, &c[0].offset[k][p]);
            by_x += NAME(weighed)(&c[0].weight[k][p], pixel);
            by_y += NAME(weighed)(&c[1].weight[k][p], pixel);
            if (dims == 3) {
                by_z += NAME(weighed)(&c[2].weight[k][p], pixel);
            }
        }
        *(V *)&s->sum[0][p] += g * by_x;
        *(V *)&s->sum[1][p] += g * by_y;
        if (dims == 3) {
            *(V *)&s->sum[2][p] += g * by_z;
        }
    }
}

static void NAME(by_place)(const GridRun *r, const void *grad, const void *image, void *grid_grad,
                           void *work) {
    int dims = r->shape->dims;
    NAME(Slopes) *s = work;
    NAME(all_taps)(r, 0, s->taps);
    NAME(all_taps)(r, 1, s->steeper);
    for (int axis = 0; axis < dims; axis++) {
        const NAME(Taps) * of[GRID_DIMS];
        for (int a = 0; a < GRID_DIMS; a++) {
            of[a] = a == axis ? &s->steeper[a] : &s->taps[a];
        }
        NAME(corners)(r, of, &s->corners[axis]);
    }
    memset(s->grad, 0, sizeof s->grad);
    memset(s->sum, 0, sizeof s->sum);
    for (int64_t channel = 0; channel < r->channels; channel++) {
        const T *plane = (const T *)image + channel * r->plane;
        memcpy(s->grad, (const T *)grad + channel * r->out, (size_t)r->n * sizeof(T));
        if (dims == 2) {
            NAME(add_slopes)(2, r->n, plane, s);
        } else {
            NAME(add_slopes)(3, r->n, plane, s);
        }
    }
    for (int64_t p = 0; p < r->n; p++) {
        for (int a = 0; a < dims; a++) {
            ((T *)grid_grad)[p * dims + a] = s->sum[a][p];
        }
    }
}
