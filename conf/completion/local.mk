# The completion of acmectl's command line, for bash.

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/acmectl
