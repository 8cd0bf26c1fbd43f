#ifndef TOCHA_INDEX_PLAN_H
#define TOCHA_INDEX_PLAN_H
/* What indexing by tensors means: shared by shape rules and kernels. */
#include "tensor/op.h"

/* Which dims of a tensor are picked from, and the shape of the result: the dims kept in their
 * order, and in their midst the picked ones, of the shape that the index tensors broadcast to. */
typedef struct IndexPlan {
    uint32_t picked;                      /* a bit for each dim of the tensor */
    int dim, picks_at, picks_dim;         /* dims of the result; where the picked ones begin */
    int64_t shape[MAX_DIMS], picks_count; /* elements that are picked */
} IndexPlan;

/* Deals a list of indices (dtype DT_NONE: missing, a whole dim) out to the dims of a tensor of that
 * shape: per_dim[d] is the index of dim d, DT_NONE where there is none. A mask stands at the first
 * of its dims, has the sizes of as many dims as it has, and *masks is set. */
bool index_deal(const char *name, Ints shape, const View *indices, int n, View *per_dim,
                bool *masks);
/* Fills p; per_dim holds no masks. */
bool index_plan(const char *name, Ints shape, const View *per_dim, IndexPlan *p);
/* Whether values of that shape broadcast to the plan's. */
bool index_values_fit(const char *name, Ints values, const IndexPlan *p);
/* "2" or "{1, 2}": where element i of a tensor of that shape stands, counted from 1. */
enum { INDEX_PLACE_MAX = 176 };
void index_place(Ints shape, int64_t i, char text[INDEX_PLACE_MAX]);
/* The error for element i, which is value, of an index tensor of that shape: it is not in
 * [1, size], nor, with from_end, in [-size, -1]. param is what the user knows the tensor as. */
enum { INDEX_TEXT_MAX = 512 };
void index_text(char text[INDEX_TEXT_MAX], const char *name, const char *param, Ints shape,
                int64_t i, int64_t value, int64_t size, bool from_end);
/* The same for a class label, which is not in [1, classes]. */
void label_text(char text[INDEX_TEXT_MAX], const char *name, Ints shape, int64_t i, int64_t label,
                int64_t classes);
/* The error for element i, which is value, of a tensor of that shape: "name: what, got ..." */
void element_text(char text[INDEX_TEXT_MAX], const char *name, const char *what, Ints shape,
                  int64_t i, double value);
/* The error for row i, from 0, of weights to draw by, of which so many are above 0. */
void weights_text(char text[INDEX_TEXT_MAX], const char *name, int64_t i, int64_t positive,
                  int64_t wanted);
bool index_fail(const char *name, const char *param, Ints shape, int64_t i, int64_t value,
                int64_t size, bool from_end);
#endif
