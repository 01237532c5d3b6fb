# What several threads read while one writes, under ThreadSanitizer: make
# check-threads, without --enable-sanitizers. Not part of make check: not every
# compiler has it.

EXTRA_PROGRAMS += %D%/threads_live_slot
CLEANFILES += %D%/threads_live_slot

# The sources, not the libraries: those are compiled without it.
%C%_threads_live_slot_SOURCES = %D%/threads_live_slot.c \
	mod_acme/ipc/acme_live_slot.c mod_acme/ipc/acme_live_slot.h
%C%_threads_live_slot_CPPFLAGS = $(ipc_flags)
%C%_threads_live_slot_CFLAGS = -fsanitize=thread $(AM_CFLAGS)
%C%_threads_live_slot_LDFLAGS = -fsanitize=thread
%C%_threads_live_slot_LDADD = -lpthread

check-threads: %D%/threads_live_slot
	TSAN_OPTIONS=halt_on_error=1 ./%D%/threads_live_slot
.PHONY: check-threads
