#ifndef TOCHA_KERNEL_SCAN_H
#define TOCHA_KERNEL_SCAN_H
/* The loops of the cumulative ops. */
#include <stdint.h>

typedef enum { SCAN_SUM, SCAN_PROD, SCAN_MAX, SCAN_MIN, SCAN_LOGSUMEXP, N_SCANS } ScanKind;

/* The most columns of a run that goes across; the elements that one going along converts at a time,
 * and the columns that it takes together. */
enum { SCAN_TILE = 256, SCAN_BLOCK = 1024, SCAN_ABREAST = 4 };

/* Columns of size elements each, each scanned alone; steps count elements, step[] within a column
 * and col_step[] from one to the next. Operands: result, positions (max and min alone), input. */
typedef struct ScanRun {
    void *out;
    int64_t *place;
    const void *x;
    int64_t size, cols, step[3], col_step[3];
    int in_dtype, out_dtype;
} ScanRun;

typedef void ScanLoop(const ScanRun *r);

/* Computed in: floats and half types as float, with double sums and products; integers as int64. */
typedef enum { SCAN_F32, SCAN_F64, SCAN_I64, N_SCAN_TYPES } ScanType;

/* By [across][kind][type]; across: the inner loop goes from column to column. */
typedef struct ScanTable {
    ScanLoop *loop[2][N_SCANS][N_SCAN_TYPES];
} ScanTable;
#endif
