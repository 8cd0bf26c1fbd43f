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
            double w = cubic_weight(cubic_weights[k == 0 || k == 3], order, d);
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

static void NAME(plain_corners)(const GridRun *r, NAME(Corners) * c) {
    NAME(Taps) taps[GRID_DIMS];
    NAME(all_taps)(r, 0, taps);
    const NAME(Taps) * of[] = {&taps[0], &taps[1], &taps[2]};
    NAME(corners)(r, of, c);
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

static void NAME(sample)(const GridRun *r, const void *image, void *result) {
    NAME(Corners) c;
    NAME(plain_corners)(r, &c);
    for (int64_t channel = 0; channel < r->channels; channel++) {
        const T *plane = (const T *)image + channel * r->plane;
        T *to = (T *)result + channel * r->out;
        for (int64_t p = 0; p < r->n; p += VL) {
            V sum = {0};
            for (int k = 0; k < c.count; k++) {
                sum += NAME(weighed)(&c.weight[k][p], NAME(gathered)(plane, &c.offset[k][p]));
            }
            memcpy(to + p, &sum, (size_t)(r->n - p < VL ? r->n - p : VL) * sizeof(T));
        }
    }
}

static void NAME(scatter)(const GridRun *r, const void *grad, void *image) {
    NAME(Corners) c;
    NAME(plain_corners)(r, &c);
    for (int64_t channel = 0; channel < r->channels; channel++) {
        T *plane = (T *)image + channel * r->plane;
        const T *from = (const T *)grad + channel * r->out;
        for (int64_t p = 0; p < r->n; p++) {
            for (int k = 0; k < c.count; k++) {
                if (c.weight[k][p] != 0) {
                    plane[c.offset[k][p]] += c.weight[k][p] * from[p];
                }
            }
        }
    }
}

/* Of VL points from p on: sums of what the channels' pixels add by each axis. c has the corners for
 * each. */
static ALWAYS_INLINE void NAME(slopes)(const GridRun *r, const NAME(Corners) * c, int64_t p,
                                       const void *grad, const void *image, V *sum) {
    int dims = r->shape->dims;
    size_t bytes = (size_t)(r->n - p < VL ? r->n - p : VL) * sizeof(T);
    for (int64_t channel = 0; channel < r->channels; channel++) {
        const T *plane = (const T *)image + channel * r->plane;
        V g = {0}, slope[GRID_DIMS] = {{0}};
        memcpy(&g, (const T *)grad + channel * r->out + p, bytes);
        for (int k = 0; k < c[0].count; k++) {
            V x = NAME(gathered)(plane, &c[0].offset[k][p]);
            for (int a = 0; a < dims; a++) {
                slope[a] += NAME(weighed)(&c[a].weight[k][p], x);
            }
        }
        for (int a = 0; a < dims; a++) {
            sum[a] += g * slope[a];
        }
    }
}

static void NAME(by_place)(const GridRun *r, const void *grad, const void *image, void *grid_grad) {
    int dims = r->shape->dims;
    NAME(Taps) taps[GRID_DIMS], steeper[GRID_DIMS];
    NAME(Corners) c[GRID_DIMS];
    NAME(all_taps)(r, 0, taps);
    NAME(all_taps)(r, 1, steeper);
    for (int axis = 0; axis < dims; axis++) {
        const NAME(Taps) * of[GRID_DIMS];
        for (int a = 0; a < GRID_DIMS; a++) {
            of[a] = a == axis ? &steeper[a] : &taps[a];
        }
        NAME(corners)(r, of, &c[axis]);
    }
    for (int64_t p = 0; p < r->n; p += VL) {
        V sum[GRID_DIMS] = {{0}};
        NAME(slopes)(r, c, p, grad, image, sum);
        for (int64_t i = 0; i < VL && p + i < r->n; i++) {
            for (int a = 0; a < dims; a++) {
                ((T *)grid_grad)[(p + i) * dims + a] = sum[a][i];
            }
        }
    }
}
