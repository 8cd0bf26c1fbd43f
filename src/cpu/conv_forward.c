/* Convolution itself, in one of three ways: plane by plane where each channel has its own; with
 * the output channels in the lanes of vectors and the images read where they are; or, for few
 * channels, with positions in the lanes, from packed columns. */
#include <string.h>

#include "base/memory.h"
#include "cpu/conv_plan.h"

/* A packed block of columns stays within the second-level cache, and so should the weights. */
enum { COLUMNS_BYTES = 256 << 10, WEIGHTS_BYTES = 256 << 10 };

typedef struct Forward {
    const ConvPlan *p;
    const void *input, *bias;
    const void *weights; /* packed, group after group; as they are for single planes */
    size_t group_bytes;  /* of a packed group */
    void *out;
    int64_t parts; /* of an image */
} Forward;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* The group's channels of image, prepared in work where they must be. */
static const void *prepared(const ConvPlan *p, const void *input, int64_t image, int64_t group,
                            void *work) {
    const void *from = conv_at(p, input, (image * p->s.c + group * p->in_c) * p->in_plane);
    if (!p->framed) {
        return from;
    }
    p->k->prepare(&p->frame, from, work);
    return work;
}

/* What may be read of the image that prepared() gave. */
static const void *readable_end(const ConvPlan *p, const void *input, const void *image) {
    return p->framed ? conv_at(p, image, p->frame_plane * p->in_c + CONV_SLACK / p->size)
                     : conv_at(p, input, p->s.n * p->s.c * p->in_plane);
}

static void plane_unit(void *ctx, int64_t unit, void *work) {
    const Forward *f = ctx;
    const ConvPlan *p = f->p;
    int64_t channel = unit % p->s.o;
    const void *image = prepared(p, f->input, unit / p->s.o, channel, work);
    p->k->plane(&p->map, image, readable_end(p, f->input, image),
                conv_at(p, f->weights, channel * p->window),
                f->bias ? conv_at(p, f->bias, channel) : NULL,
                conv_to(p, f->out, unit * p->out_plane));
}

typedef struct Place {
    int64_t image, group, part;
} Place;

static Place place_of(const Forward *f, int64_t unit) {
    int64_t groups = f->p->s.groups;
    return (Place){unit / f->parts / groups, unit / f->parts % groups, unit % f->parts};
}

static void *result_at(const Forward *f, Place at) {
    const ConvPlan *p = f->p;
    return conv_to(p, f->out, (at.image * p->s.o + at.group * p->out_c) * p->out_plane);
}

static const void *bias_at(const Forward *f, Place at) {
    return f->bias ? conv_at(f->p, f->bias, at.group * f->p->out_c) : NULL;
}

static void direct_panel(const Forward *f, const void *image, Place at, int64_t o, int64_t y0,
                         int64_t y1, int64_t limit) {
    const ConvPlan *p = f->p;
    const void *bias = bias_at(f, at);
    const char *weights = (const char *)f->weights + (size_t)at.group * f->group_bytes;
    int64_t lanes = p->out_c - o < p->k->nr ? p->out_c - o : p->k->nr;
    p->k->direct(&p->map, image, conv_at(p, weights, o * p->map.taps), lanes,
                 bias ? conv_at(p, bias, o) : NULL, conv_to(p, result_at(f, at), o * p->out_plane),
                 p->out_plane, y0, y1, limit);
}

/* Row by row while the weights stay in the cache, else panel by panel of weights. */
static void direct_unit(void *ctx, int64_t unit, void *work) {
    const Forward *f = ctx;
    const ConvPlan *p = f->p;
    Place at = place_of(f, unit);
    const void *image = prepared(p, f->input, at.image, at.group, work);
    int64_t y0 = at.part * p->map.rows / f->parts, y1 = (at.part + 1) * p->map.rows / f->parts;
    int64_t step = f->group_bytes <= WEIGHTS_BYTES ? 1 : y1 - y0;
    for (int64_t y = y0; y < y1; y += step) {
        for (int64_t o = 0; o < p->out_c; o += p->k->nr) {
            direct_panel(f, image, at, o, y, y + step, y1);
        }
    }
}

typedef struct Blocks {
    int64_t taps, positions;
} Blocks;

static Blocks blocks_of(const ConvPlan *p) {
    int64_t most = 4096 / p->size, parts = ceil_div(p->map.taps, most);
    int64_t taps = ceil_div(p->map.taps, parts > 0 ? parts : 1), nr = p->g->nr;
    int64_t positions = COLUMNS_BYTES / ((taps > 0 ? taps : 1) * p->size) / nr * nr;
    positions = positions < nr ? nr : positions;
    return (Blocks){taps, positions < p->out_plane ? positions : p->out_plane};
}

static size_t packed_taps_bytes(const ConvPlan *p) {
    return gemm_bytes_a(p->g, p->out_c, blocks_of(p).taps);
}

/* Positions [j, j + n) from packed columns. */
static void columns_block(const Forward *f, Place at, const void *image, int64_t j, int64_t n,
                          void *packed) {
    const ConvPlan *p = f->p;
    const void *bias = bias_at(f, at);
    const char *weights = (const char *)f->weights + (size_t)at.group * f->group_bytes;
    int64_t step = blocks_of(p).taps, first = 0;
    GemmOut out = {.c = conv_to(p, result_at(f, at), j),
                   .rs = p->out_plane,
                   .cs = 1,
                   .add = {bias, 1, 0},
                   .alpha = 1,
                   .beta = 1};
    do {
        int64_t taps = p->map.taps - first < step ? p->map.taps - first : step;
        p->k->columns(&p->map, image, readable_end(p, f->input, image), first, taps, j, n, packed);
        p->g->block(p->out_c, n, taps, weights, packed, &out);
        out.add = (Matrix){out.c, out.rs, out.cs};
        weights += packed_taps_bytes(p);
        first += step;
    } while (first < p->map.taps);
}

static void columns_unit(void *ctx, int64_t unit, void *work) {
    const Forward *f = ctx;
    const ConvPlan *p = f->p;
    Place at = place_of(f, unit);
    const void *image = prepared(p, f->input, at.image, at.group, work);
    void *packed = (char *)work + conv_frame_bytes(p);
    int64_t nr = p->g->nr, panels = ceil_div(p->out_plane, nr), step = blocks_of(p).positions;
    int64_t j = at.part * panels / f->parts * nr, end = (at.part + 1) * panels / f->parts * nr;
    end = end < p->out_plane ? end : p->out_plane;
    for (; j < end; j += step) {
        columns_block(f, at, image, j, end - j < step ? end - j : step, packed);
    }
}

static void pack_for_direct(const ConvPlan *p, const void *weight, char *packed, size_t bytes) {
    for (int64_t g = 0; g < p->s.groups; g++) {
        Matrix w = {conv_at(p, weight, g * p->out_c * p->map.taps), 1, p->map.taps};
        p->g->pack_b(p->map.taps, p->out_c, w, packed + (size_t)g * bytes);
    }
}

static void pack_for_columns(const ConvPlan *p, const void *weight, char *packed) {
    int64_t step = blocks_of(p).taps;
    for (int64_t g = 0; g < p->s.groups; g++) {
        const void *group = conv_at(p, weight, g * p->out_c * p->map.taps);
        for (int64_t first = 0; first < p->map.taps; first += step) {
            int64_t taps = p->map.taps - first < step ? p->map.taps - first : step;
            Matrix w = {conv_at(p, group, first), p->map.taps, 1};
            p->g->pack_a(p->out_c, taps, w, packed);
            packed += packed_taps_bytes(p);
        }
    }
}

/* Estimated cycles of an image. Either way fills vectors up to their width; with channels in the
 * lanes results are turned on their way out, with positions in the lanes columns are packed. */
static bool direct_is_better(const ConvPlan *p) {
    int64_t lanes = p->k->nr / 2;
    double taps = (double)p->map.taps, positions = (double)p->out_plane;
    double by_channel = positions * (double)ceil_div(p->out_c, lanes) * (taps + 2 * (double)lanes);
    double by_position = (double)(ceil_div(p->out_plane, lanes) * p->out_c) * taps +
                         positions * taps * 7 / (double)lanes;
    return by_channel < by_position;
}

static double work_of(const ConvPlan *p) {
    return (double)p->out_c * (double)p->out_plane * (double)(p->map.taps + 1);
}

static bool run_planes(Forward *f, const void *weight) {
    const ConvPlan *p = f->p;
    f->weights = weight;
    return conv_units(p->s.n * p->s.o, work_of(p) * 2, conv_frame_bytes(p) + MEM_ALIGN, plane_unit,
                      f);
}

bool conv_forward(const ConvPlan *p, const void *input, const void *weight, const void *bias,
                  void *out) {
    Forward f = {.p = p, .input = input, .bias = bias, .out = out};
    if (p->s.n * p->s.o * p->out_plane == 0) {
        return true;
    }
    if (p->depthwise) {
        return run_planes(&f, weight);
    }
    bool direct = direct_is_better(p);
    int64_t blocks = ceil_div(p->map.taps, blocks_of(p).taps > 0 ? blocks_of(p).taps : 1);
    f.group_bytes =
        direct ? gemm_bytes_b(p->g, p->map.taps, p->out_c) : (size_t)blocks * packed_taps_bytes(p);
    size_t bytes = (size_t)p->s.groups * f.group_bytes, work = conv_frame_bytes(p) + MEM_ALIGN;
    char *packed = mem_alloc(bytes);
    if (!packed) {
        return false;
    }
    f.weights = packed;
    if (direct) {
        pack_for_direct(p, weight, packed, f.group_bytes);
    } else {
        pack_for_columns(p, weight, packed);
        work += gemm_bytes_b(p->g, blocks_of(p).taps, blocks_of(p).positions) + CONV_SLACK;
    }
    int64_t units = p->s.n * p->s.groups;
    f.parts =
        conv_parts(units, work_of(p), direct ? p->map.rows : ceil_div(p->out_plane, p->g->nr));
    bool ok = conv_units(units * f.parts, work_of(p) / (double)f.parts, work,
                         direct ? direct_unit : columns_unit, &f);
    mem_free(packed, bytes);
    return ok;
}
