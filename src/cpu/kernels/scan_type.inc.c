/* The scans of one type: T elements as they are loaded, A what sums are kept in; NANS: T has nan.
 */

#define NAME(x)    TYPED(x##_sum)
#define START      0
#define JOIN(a, b) ADD(a, b)
#include "scan_fold.inc.c"
#undef NAME
#undef START
#undef JOIN

#define NAME(x)    TYPED(x##_prod)
#define START      1
#define JOIN(a, b) MUL(a, b)
#include "scan_fold.inc.c"
#undef NAME
#undef START
#undef JOIN

#if NANS
    #define NAME(x)    TYPED(x##_logs)
    #define START      -INFINITY
    #define JOIN(a, b) add_logs(a, b)
    #include "scan_fold.inc.c"
    #undef NAME
    #undef START
    #undef JOIN
#endif

#define NAME(x) TYPED(x##_max)
#define START   LEAST
#define OVER    >=
#define UNDER   <
#include "scan_pick.inc.c"
#undef NAME
#undef START
#undef OVER
#undef UNDER

#define NAME(x) TYPED(x##_min)
#define START   MOST
#define OVER    <=
#define UNDER   >
#include "scan_pick.inc.c"
#undef NAME
#undef START
#undef OVER
#undef UNDER
