# net - all of libcurl and c-ares.

in_net = -I$(srcdir)/%D%
net_flags = $(in_net) $(in_base) $(cppflags)

noinst_LTLIBRARIES += %D%/libacme_net.la
%C%_libacme_net_la_CPPFLAGS = $(net_flags)
%C%_libacme_net_la_CFLAGS = $(hidden)
%C%_libacme_net_la_SOURCES = \
	%D%/acme_dns_lookup.c %D%/acme_dns_lookup.h \
	%D%/acme_dns_message.c %D%/acme_dns_message.h \
	%D%/acme_dns_query.c %D%/acme_dns_query.h \
	%D%/acme_http.c %D%/acme_http.h \
	%D%/acme_retry_after.c %D%/acme_retry_after.h
