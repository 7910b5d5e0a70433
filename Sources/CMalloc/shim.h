#ifndef ENTENTE_CMALLOC_SHIM_H
#define ENTENTE_CMALLOC_SHIM_H

// Not among what Swift's own module of the C library shows.
#include <malloc.h>

#endif
