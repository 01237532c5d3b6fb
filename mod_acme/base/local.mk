# base - the ground: results, texts, times, JSON, names, the stop. Knows nobody.

in_base = -I$(srcdir)/%D%
base_flags = $(in_base) $(cppflags)

noinst_LTLIBRARIES += %D%/libacme_base.la
%C%_libacme_base_la_CPPFLAGS = $(base_flags)
%C%_libacme_base_la_CFLAGS = $(hidden)
%C%_libacme_base_la_SOURCES = \
	%D%/acme_file_stamp.c %D%/acme_file_stamp.h \
	%D%/acme_json.c %D%/acme_json.h \
	%D%/acme_lasting.c %D%/acme_lasting.h \
	%D%/acme_name.c %D%/acme_name.h \
	%D%/acme_octets.h \
	%D%/acme_reason.c %D%/acme_reason.h \
	%D%/acme_result.c %D%/acme_result.h \
	%D%/acme_revoke_reason.c %D%/acme_revoke_reason.h \
	%D%/acme_scratch.c %D%/acme_scratch.h \
	%D%/acme_stop.c %D%/acme_stop.h \
	%D%/acme_text.c %D%/acme_text.h \
	%D%/acme_time.c %D%/acme_time.h \
	%D%/acme_url.c %D%/acme_url.h
