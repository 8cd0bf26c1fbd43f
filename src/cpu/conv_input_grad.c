/* The gradient of a convolution's input. Without strides it is itself a convolution, of the padded
 * gradient with the turned kernel; that is taken where padding adds little work. Else what each
 * tap sends back is added where it had read: with input channels in the lanes of vectors
 * (conv_spread.c), or, for few of them, with positions in the lanes. */
#include <string.h>

#include "base/memory.h"
#include "cpu/conv_plan.h"

/* Blocks of the gradient and of the products each take this much of the second-level cache. */
enum { BLOCK_BYTES = 256 << 10 };

typedef struct InputGrad {
    const ConvPlan *p;
    const void *grad;
    const char *weights; /* packed: a part's channels, part after part, group after group */
    void *out;
    int64_t parts;       /* of a group's input channels */
    int64_t rows;        /* of positions worked on at a time */
    int64_t channels;    /* of input worked on at a time */
    size_t weight_bytes; /* of a block of channels */
    int64_t blocks;      /* of channels in a part */
} InputGrad;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static int64_t clamp(int64_t x, int64_t least, int64_t most) {
    return x < least ? least : x > most ? most : x;
}

static void plan_blocks(InputGrad *f, int64_t parts) {
    const ConvPlan *p = f->p;
    int64_t widest = p->map.columns * p->size;
    f->rows = clamp(BLOCK_BYTES / (widest * (p->out_c > 0 ? p->out_c : 1)), 1, p->map.rows);
    int64_t per_part = ceil_div(p->in_c, parts);
    f->channels = clamp(BLOCK_BYTES / (widest * f->rows * p->window), 1, per_part);
    f->parts = ceil_div(p->in_c, per_part);
    f->blocks = ceil_div(per_part, f->channels);
    f->weight_bytes = gemm_bytes_a(p->g, f->channels * p->window, p->out_c);
}

/* Channels [first, end) of block b of part; the last blocks of the last part may be empty. */
static void block_range(const InputGrad *f, int64_t part, int64_t b, int64_t *first, int64_t *end) {
    int64_t per_part = ceil_div(f->p->in_c, f->parts);
    int64_t begin = part * per_part, stop = clamp(begin + per_part, 0, f->p->in_c);
    *first = clamp(begin + b * f->channels, begin, stop);
    *end = clamp(*first + f->channels, begin, stop);
}

static void pack_weights(const InputGrad *f, const void *weight, char *packed) {
    const ConvPlan *p = f->p;
    for (int64_t g = 0; g < p->s.groups; g++) {
        for (int64_t i = 0; i < f->parts * f->blocks; i++, packed += f->weight_bytes) {
            int64_t first, end;
            block_range(f, i / f->blocks, i % f->blocks, &first, &end);
            int64_t at = g * p->out_c * p->map.taps + first * p->window;
            Matrix w = {conv_at(p, weight, at), 1, p->map.taps};
            p->g->pack_a((end - first) * p->window, p->out_c, w, packed);
        }
    }
}

/* A tap of one element meets each position's own element: the products are the gradient. */
static bool is_plain(const ConvPlan *p) { return p->window == 1 && p->frame_plane == p->out_plane; }

static size_t columns_bytes(const InputGrad *f) {
    const ConvPlan *p = f->p;
    int64_t elements = f->channels * p->window * f->rows * p->map.columns;
    return is_plain(p) ? 0 : (size_t)(elements * p->size) + CONV_SLACK;
}

typedef struct Rows {
    int64_t y0, y1;
    const void *grad; /* packed */
} Rows;

static void add_block(const InputGrad *f, const char *weights, int64_t first, int64_t end,
                      Rows rows, void *target, const void *target_end, void *columns) {
    const ConvPlan *p = f->p;
    int64_t taps = (end - first) * p->window, n = (rows.y1 - rows.y0) * p->map.columns;
    GemmOut out = {.c = columns, .rs = n, .cs = 1, .alpha = 1};
    if (is_plain(p)) {
        out.c = conv_to(p, target, first * p->frame_plane + rows.y0 * p->map.columns);
        out.rs = p->frame_plane;
    }
    p->g->block(taps, n, p->out_c, weights, rows.grad, &out);
    if (!is_plain(p)) {
        p->k->scatter(&p->map, columns, first * p->window, taps, rows.y0, rows.y1, target,
                      target_end);
    }
}

/* All positions, for the channels of one part, into target. */
static void add_part(const InputGrad *f, const void *grad, int64_t group, int64_t part,
                     void *target, const void *target_end, char *work) {
    const ConvPlan *p = f->p;
    const char *weights =
        f->weights + (size_t)((group * f->parts + part) * f->blocks) * f->weight_bytes;
    void *packed = work, *columns = work + gemm_bytes_b(p->g, p->out_c, f->rows * p->map.columns);
    for (int64_t y = 0; y < p->map.rows; y += f->rows) {
        Rows rows = {y, clamp(y + f->rows, y, p->map.rows), packed};
        Matrix g = {conv_at(p, grad, y * p->map.columns), p->out_plane, 1};
        p->g->pack_b(p->out_c, (rows.y1 - y) * p->map.columns, g, packed);
        for (int64_t b = 0; b < f->blocks; b++) {
            int64_t first, end;
            block_range(f, part, b, &first, &end);
            add_block(f, weights + (size_t)b * f->weight_bytes, first, end, rows, target,
                      target_end, columns);
        }
    }
}

static void input_grad_unit(void *ctx, int64_t unit, void *work) {
    const InputGrad *f = ctx;
    const ConvPlan *p = f->p;
    int64_t part = unit % f->parts, group = unit / f->parts % p->s.groups;
    int64_t image = unit / f->parts / p->s.groups, first, end, unused;
    block_range(f, part, 0, &first, &unused);
    block_range(f, part, f->blocks - 1, &unused, &end);
    const void *grad = conv_at(p, f->grad, (image * p->s.o + group * p->out_c) * p->out_plane);
    void *out = conv_to(p, f->out, (image * p->s.c + group * p->in_c) * p->in_plane);
    void *target = p->framed ? work : out;
    if (!is_plain(p)) {
        memset(conv_to(p, target, first * p->frame_plane), 0,
               (size_t)((end - first) * p->frame_plane * p->size));
    }
    add_part(f, grad, group, part, target, conv_at(p, target, end * p->frame_plane),
             (char *)work + conv_frame_bytes(p));
    if (p->framed) {
        ConvFrame frame = p->frame;
        frame.channels = end - first;
        p->k->restore(&frame, conv_at(p, target, first * p->frame_plane),
                      conv_to(p, out, first * p->in_plane));
    }
}

static double work_of(const ConvPlan *p) {
    return (double)p->out_c * (double)p->out_plane * (double)(p->map.taps + 1);
}

static bool run_products(const ConvPlan *p, const void *grad, const void *weight, void *out) {
    InputGrad f = {.p = p, .grad = grad, .out = out};
    int64_t units = p->s.n * p->s.groups;
    plan_blocks(&f, conv_parts(units, work_of(p), p->in_c));
    size_t bytes = (size_t)(p->s.groups * f.parts * f.blocks) * f.weight_bytes;
    char *packed = mem_alloc(bytes);
    if (!packed) {
        return false;
    }
    pack_weights(&f, weight, packed);
    f.weights = packed;
    size_t work = conv_frame_bytes(p) + columns_bytes(&f) +
                  gemm_bytes_b(p->g, p->out_c, f.rows * p->map.columns) + MEM_ALIGN;
    bool ok = conv_units(units * f.parts, work_of(p) / (double)f.parts, work, input_grad_unit, &f);
    mem_free(packed, bytes);
    return ok;
}

static void plane_unit(void *ctx, int64_t unit, void *work) {
    const InputGrad *f = ctx;
    const ConvPlan *p = f->p;
    void *out = conv_to(p, f->out, unit * p->in_plane), *target = p->framed ? work : out;
    memset(target, 0, (size_t)(p->frame_plane * p->size));
    p->k->plane_scatter(&p->map, conv_at(p, f->grad, unit * p->out_plane),
                        conv_at(p, f->grad, p->s.n * p->s.o * p->out_plane),
                        conv_at(p, f->weights, unit % p->s.c * p->window), target,
                        conv_at(p, target, p->frame_plane));
    if (p->framed) {
        p->k->restore(&p->frame, target, out);
    }
}

/* One channel alone in each group. */
static bool run_planes(const ConvPlan *p, const void *grad, const void *weight, void *out) {
    InputGrad f = {.p = p, .grad = grad, .weights = weight, .out = out};
    return conv_units(p->s.n * p->s.c, work_of(p) * 2, conv_frame_bytes(p) + MEM_ALIGN, plane_unit,
                      &f);
}

/* The convolution that turns the gradient of the result into that of the input. */
static ConvShape turned_shape(const ConvShape *s) {
    ConvShape t = *s;
    t.c = s->o;
    t.o = s->c;
    for (int i = 0; i < 3; i++) {
        t.in[i] = s->out[i];
        t.out[i] = s->in[i];
        t.padding[i] = s->dilation[i] * (s->kernel[i] - 1) - s->padding[i];
    }
    return t;
}

/* Padding makes it compute in * taps instead of out * taps products, but spares adding them up. */
static bool turned_is_better(const ConvPlan *p) {
    const ConvShape *s = &p->s;
    for (int i = 0; i < 3; i++) {
        if (s->stride[i] != 1 || s->dilation[i] * (s->kernel[i] - 1) < s->padding[i]) {
            return false;
        }
    }
    double more = (double)p->in_plane / (double)p->out_plane;
    return p->depthwise ? more < 2 : p->window > 1 && p->in_c >= p->k->nr / 2 && more < 1.2;
}

/* weight (groups, out_c, in_c, window) as (groups, in_c, out_c, window backwards). */
static void turn_weight(const ConvPlan *p, const char *weight, char *to) {
    size_t size = (size_t)p->size;
    int64_t pair = p->out_c * p->in_c;
    for (int64_t i = 0; i < p->s.groups * pair; i++) {
        int64_t group = i / pair, o = i % p->out_c, c = i % pair / p->out_c;
        const char *from =
            weight + (size_t)(((group * p->out_c + o) * p->in_c + c) * p->window) * size;
        for (int64_t t = p->window - 1; t >= 0; t--, to += size) {
            memcpy(to, from + (size_t)t * size, size);
        }
    }
}

static bool run_turned(const ConvPlan *p, const char *name, const void *grad, const void *weight,
                       void *out) {
    ConvShape s = turned_shape(&p->s);
    ConvPlan turned;
    if (!conv_plan_open(&turned, name, &s, p->size == sizeof(float) ? DT_FLOAT32 : DT_FLOAT64)) {
        return false;
    }
    size_t bytes = (size_t)(p->s.o * p->map.taps * p->size);
    char *weights = mem_alloc(bytes);
    bool ok = weights != NULL;
    if (ok) {
        turn_weight(p, weight, weights);
        ok = conv_forward(&turned, grad, weights, NULL, out);
    }
    mem_free(weights, bytes);
    conv_plan_close(&turned);
    return ok;
}

/* Estimated cycles of an image: vectors of input channels that may not be full, and additions to
 * pixels, against vectors of positions and additions of rows. */
static bool spread_is_better(const ConvPlan *p) {
    double lanes = (double)(p->k->nr / 2), outputs = (double)p->out_c;
    double vectors = (double)ceil_div(p->in_c, p->k->nr / 2);
    double spread = (double)(p->out_plane * p->window) * vectors * (outputs + 4);
    double rows = (double)p->map.taps * (double)p->map.rows;
    double products = (double)p->map.taps * outputs * ((double)p->out_plane / lanes + 0.5) +
                      (is_plain(p) ? 0 : rows * (14 + 3 * (double)p->map.columns / lanes));
    return spread < products;
}

bool conv_input_grad(const ConvPlan *p, const char *name, const void *grad, const void *weight,
                     void *input_grad) {
    if (p->s.n * p->s.c == 0) {
        return true;
    }
    if (turned_is_better(p)) {
        return run_turned(p, name, grad, weight, input_grad);
    }
    if (p->depthwise) {
        return run_planes(p, grad, weight, input_grad);
    }
    return spread_is_better(p) ? conv_spread(p, grad, weight, input_grad)
                               : run_products(p, grad, weight, input_grad);
}
