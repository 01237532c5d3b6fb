/*
 * live.c - see live.h.
 */
#include "acme_time.h"
#include "live.h"

const acme_window_t no_window;

