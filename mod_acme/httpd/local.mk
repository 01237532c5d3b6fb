# httpd - the module: all that knows httpd, and alone has its include path.
#
# Of the keeper it sees the one header that the forked process is entered by.
# httpd's macro for the module record knows no visibility, so mod_acme.c is
# compiled without the flag; the linker hides all but the record. APR is not
# linked: it is httpd's own.

in_httpd = -I$(srcdir)/%D%
httpd_flags = $(in_httpd) $(in_keeper_entry) $(in_renewal) $(in_ipc) \
	$(in_store) $(in_protocol) $(in_net) $(in_crypto) $(in_base) \
	$(cppflags) $(HTTPD_CPPFLAGS)

noinst_LTLIBRARIES += %D%/libacme_httpd.la
%C%_libacme_httpd_la_CPPFLAGS = $(httpd_flags)
%C%_libacme_httpd_la_CFLAGS = $(hidden)
%C%_libacme_httpd_la_SOURCES = \
	%D%/acme_activation.c %D%/acme_activation.h \
	%D%/acme_board.c %D%/acme_board.h \
	%D%/acme_board_solver.c %D%/acme_board_solver.h \
	%D%/acme_cert_callback.c %D%/acme_cert_callback.h \
	%D%/acme_cert_split.c %D%/acme_cert_split.h \
	%D%/acme_cert_split_apply.c %D%/acme_cert_split_apply.h \
	%D%/acme_cert_split_live.c %D%/acme_cert_split_live.h \
	%D%/acme_child.c %D%/acme_child.h \
	%D%/acme_commands.c %D%/acme_commands.h \
	%D%/acme_conf_trial.c %D%/acme_conf_trial.h \
	%D%/acme_conf_tree.c %D%/acme_conf_tree.h \
	%D%/acme_define.c %D%/acme_define.h \
	%D%/acme_directives.h \
	%D%/acme_exports.c %D%/acme_exports.h \
	%D%/acme_fork.c %D%/acme_fork.h \
	%D%/acme_hidden.c %D%/acme_hidden.h \
	%D%/acme_hmac_wipe.c %D%/acme_hmac_wipe.h \
	%D%/acme_http01.c %D%/acme_http01.h \
	%D%/acme_keeper_start.c %D%/acme_keeper_start.h \
	%D%/acme_live.c %D%/acme_live.h \
	%D%/acme_live_cache.c %D%/acme_live_cache.h \
	%D%/acme_metric.c %D%/acme_metric.h \
	%D%/acme_mod_ssl_trial.c %D%/acme_mod_ssl_trial.h \
	%D%/acme_page.c %D%/acme_page.h \
	%D%/acme_page_cert.c %D%/acme_page_cert.h \
	%D%/acme_page_frame.c %D%/acme_page_frame.h \
	%D%/acme_page_json.c %D%/acme_page_json.h \
	%D%/acme_page_list.c %D%/acme_page_list.h \
	%D%/acme_page_load.c %D%/acme_page_load.h \
	%D%/acme_page_metrics.c %D%/acme_page_metrics.h \
	%D%/acme_page_others.c %D%/acme_page_others.h \
	%D%/acme_page_out.c %D%/acme_page_out.h \
	%D%/acme_page_query.c %D%/acme_page_query.h \
	%D%/acme_page_style.c %D%/acme_page_style.h \
	%D%/acme_page_view.c %D%/acme_page_view.h \
	%D%/acme_parsers.c %D%/acme_parsers.h \
	%D%/acme_parsers_commands.c %D%/acme_parsers_commands.h \
	%D%/acme_pass_phrase.c %D%/acme_pass_phrase.h \
	%D%/acme_placeholder.c %D%/acme_placeholder.h \
	%D%/acme_placeholder_503.c %D%/acme_placeholder_503.h \
	%D%/acme_require_https.c %D%/acme_require_https.h \
	%D%/acme_server_conf.c %D%/acme_server_conf.h \
	%D%/acme_sni.c %D%/acme_sni.h \
	%D%/acme_status.c %D%/acme_status.h \
	%D%/acme_tls_alpn01.c %D%/acme_tls_alpn01.h \
	%D%/acme_trial_limit.c %D%/acme_trial_limit.h \
	%D%/acme_vhost.h \
	%D%/acme_vhost_files.c %D%/acme_vhost_files.h \
	%D%/acme_vhosts.c %D%/acme_vhosts.h \
	%D%/acme_vhosts_cas.c %D%/acme_vhosts_cas.h \
	%D%/acme_vhosts_cert.c %D%/acme_vhosts_cert.h \
	%D%/acme_vhosts_check.c %D%/acme_vhosts_check.h \
	%D%/acme_visits.c %D%/acme_visits.h \
	%D%/acme_watchdog.c %D%/acme_watchdog.h \
	%D%/acme_witness_start.c %D%/acme_witness_start.h \
	%D%/acme_workers_access.c %D%/acme_workers_access.h

acmemoddir = $(LIBEXECDIR)
acmemod_LTLIBRARIES = %D%/mod_acme.la
%C%_mod_acme_la_CPPFLAGS = $(httpd_flags)
%C%_mod_acme_la_CFLAGS = $(AM_CFLAGS)
%C%_mod_acme_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-export-symbols-regex '^acme_module$$'
%C%_mod_acme_la_LIBADD = %D%/libacme_httpd.la $(floors) $(DEPS_LIBS)
%C%_mod_acme_la_SOURCES = %D%/mod_acme.c

dist_man_MANS += %D%/mod_acme.8

# httpd has no use for libtool's description of the module.
install-data-hook:
	rm -f "$(DESTDIR)$(LIBEXECDIR)/mod_acme.la"
