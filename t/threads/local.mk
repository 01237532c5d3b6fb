# What several threads read while one writes, under ThreadSanitizer: make
# check-threads, without --enable-sanitizers. Not part of make check: not every
# compiler has it.

threads_programs = %D%/threads_live_cache %D%/threads_live_slot
EXTRA_PROGRAMS += $(threads_programs)
CLEANFILES += $(threads_programs)

# The sources, not the libraries: those are compiled without it.
%C%_threads_live_slot_SOURCES = %D%/threads_live_slot.c \
	mod_acme/ipc/acme_live_slot.c mod_acme/ipc/acme_live_slot.h
%C%_threads_live_slot_CPPFLAGS = $(ipc_flags)
%C%_threads_live_slot_CFLAGS = -fsanitize=thread $(AM_CFLAGS)
%C%_threads_live_slot_LDFLAGS = -fsanitize=thread
%C%_threads_live_slot_LDADD = -lpthread

threads_live_cache_libs = mod_acme/crypto/libacme_crypto.la \
	mod_acme/base/libacme_base.la
%C%_threads_live_cache_SOURCES = %D%/threads_live_cache.c \
	mod_acme/httpd/acme_live_cache.c mod_acme/httpd/acme_live_cache.h \
	mod_acme/ipc/acme_live_pairs.c mod_acme/ipc/acme_live_pairs.h \
	mod_acme/ipc/acme_live_slot.c mod_acme/ipc/acme_live_slot.h
%C%_threads_live_cache_CPPFLAGS = $(httpd_flags)
%C%_threads_live_cache_CFLAGS = -fsanitize=thread $(AM_CFLAGS)
%C%_threads_live_cache_LDFLAGS = -fsanitize=thread
%C%_threads_live_cache_LDADD = $(threads_live_cache_libs) $(libraries) \
	-lpthread

check-threads: $(threads_programs)
	for program in $(threads_programs); do \
	    TSAN_OPTIONS=halt_on_error=1 ./$$program || exit; \
	done
.PHONY: check-threads
