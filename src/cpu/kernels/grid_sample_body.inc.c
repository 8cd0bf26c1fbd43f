/* Looking images of one element type T up. Corners of a point outside the image, and those without
 * weight, count as nothing, whatever the image holds. */

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

/* The corners of n points: the products of what each axis takes. */
static void NAME(corners)(const GridRun *r, const int *order, NAME(Corners) * c) {
    const GridShape *g = r->shape;
    int taps = taps_of_mode[g->mode];
    int64_t step = 1;
    c->count = 1;
    for (int a = 0; a < g->dims; a++) {
        NAME(Taps) t;
        NAME(axis_taps)(r, a, order[a], &t);
        /* From the last tap on, as the corners so far are what tap 0 goes to. */
        for (int k = taps - 1; k >= 0; k--) {
            for (int i = 0; i < (a == 0 ? 1 : c->count); i++) {
                int to = k * (a == 0 ? 1 : c->count) + i;
                for (int64_t p = 0; p < r->n; p++) {
                    int32_t offset = a == 0 ? 0 : c->offset[i][p];
                    T weight = a == 0 ? 1 : c->weight[i][p];
                    c->offset[to][p] = offset + t.index[k][p] * (int32_t)step;
                    c->weight[to][p] = weight * t.weight[k][p];
                }
            }
        }
        c->count *= taps;
        step *= g->size[a];
    }
}

static inline T NAME(weighed)(T weight, const T *plane, int32_t offset) {
    T product = weight * plane[offset];
    return weight != 0 ? product : 0;
}

static void NAME(sample)(const GridRun *r, const void *image, void *result) {
    NAME(Corners) c;
    NAME(corners)(r, r->shape->order, &c);
    for (int64_t channel = 0; channel < r->channels; channel++) {
        const T *plane = (const T *)image + channel * r->plane;
        T sum[GRID_CHUNK] = {0}, *to = (T *)result + channel * r->out;
        for (int k = 0; k < c.count; k++) {
            for (int64_t p = 0; p < r->n; p++) {
                sum[p] += NAME(weighed)(c.weight[k][p], plane, c.offset[k][p]);
            }
        }
        for (int64_t p = 0; p < r->n; p++) to[p] = sum[p];
    }
}

static void NAME(scatter)(const GridRun *r, const void *grad, void *image) {
    NAME(Corners) c;
    NAME(corners)(r, r->shape->order, &c);
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

static void NAME(by_place)(const GridRun *r, const void *grad, const void *image, void *grid_grad) {
    const GridShape *g = r->shape;
    for (int axis = 0; axis < g->dims; axis++) {
        NAME(Corners) c;
        int order[GRID_DIMS];
        T sum[GRID_CHUNK] = {0};
        for (int a = 0; a < GRID_DIMS; a++) {
            order[a] = g->order[a] + (a == axis);
        }
        NAME(corners)(r, order, &c);
        for (int64_t channel = 0; channel < r->channels; channel++) {
            const T *plane = (const T *)image + channel * r->plane;
            const T *from = (const T *)grad + channel * r->out;
            for (int k = 0; k < c.count; k++) {
                for (int64_t p = 0; p < r->n; p++) {
                    sum[p] += from[p] * NAME(weighed)(c.weight[k][p], plane, c.offset[k][p]);
                }
            }
        }
        for (int64_t p = 0; p < r->n; p++) {
            ((T *)grid_grad)[p * g->dims + axis] = sum[p];
        }
    }
}
