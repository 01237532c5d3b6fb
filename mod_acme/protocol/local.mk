# protocol - ACME as a client speaks it, a file a resource of RFC 8555.

in_protocol = -I$(srcdir)/%D%
protocol_flags = $(in_protocol) $(in_net) $(in_crypto) $(in_base) $(cppflags)

noinst_LTLIBRARIES += %D%/libacme_protocol.la
%C%_libacme_protocol_la_CPPFLAGS = $(protocol_flags)
%C%_libacme_protocol_la_CFLAGS = $(hidden)
%C%_libacme_protocol_la_SOURCES = \
	%D%/acme_account.c %D%/acme_account.h \
	%D%/acme_authorization.c %D%/acme_authorization.h \
	%D%/acme_ca.c %D%/acme_ca.h \
	%D%/acme_caa.c %D%/acme_caa.h \
	%D%/acme_certificate.c %D%/acme_certificate.h \
	%D%/acme_challenge.c %D%/acme_challenge.h \
	%D%/acme_directory.c %D%/acme_directory.h \
	%D%/acme_dns_persist.c %D%/acme_dns_persist.h \
	%D%/acme_known_ca.c %D%/acme_known_ca.h \
	%D%/acme_link.c %D%/acme_link.h \
	%D%/acme_nonces.c %D%/acme_nonces.h \
	%D%/acme_order.c %D%/acme_order.h \
	%D%/acme_problem.c %D%/acme_problem.h \
	%D%/acme_renewal_info.c %D%/acme_renewal_info.h \
	%D%/acme_resource.c %D%/acme_resource.h \
	%D%/acme_session.c %D%/acme_session.h
