# import - what another ACME client has, taken over into the store.
#
# It reads folders of strangers, as root, and is in acmectl alone.

in_import = -I$(srcdir)/%D%
import_flags = $(in_import) $(in_store) $(in_protocol) $(in_net) \
	$(in_crypto) $(in_base) $(cppflags)

noinst_LTLIBRARIES += %D%/libacme_import.la
%C%_libacme_import_la_CPPFLAGS = $(import_flags)
%C%_libacme_import_la_CFLAGS = $(hidden)
%C%_libacme_import_la_SOURCES = \
	%D%/acme_import.c %D%/acme_import.h \
	%D%/acme_import_acme_sh.c %D%/acme_import_acme_sh.h \
	%D%/acme_import_certbot.c %D%/acme_import_certbot.h \
	%D%/acme_import_dehydrated.c %D%/acme_import_dehydrated.h \
	%D%/acme_import_file.c %D%/acme_import_file.h \
	%D%/acme_import_found.c %D%/acme_import_found.h \
	%D%/acme_import_hook.c %D%/acme_import_hook.h \
	%D%/acme_import_lego.c %D%/acme_import_lego.h \
	%D%/acme_import_mod_md.c %D%/acme_import_mod_md.h \
	%D%/acme_import_pair.c %D%/acme_import_pair.h \
	%D%/acme_import_place.c %D%/acme_import_place.h \
	%D%/acme_import_report.h \
	%D%/acme_import_store.c %D%/acme_import_store.h \
	%D%/acme_import_trust.c %D%/acme_import_trust.h \
	%D%/acme_import_vhosts.c %D%/acme_import_vhosts.h \
	%D%/acme_import_words.c %D%/acme_import_words.h
