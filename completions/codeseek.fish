# fish completion for codeseek. Made by `codeseek completions`; `poe completions` writes it anew.

function __codeseek_ask # OPTION: the values that the program knows
    set -l word (commandline -ct)
    _CODESEEK_COMPLETE=bash_complete COMP_WORDS="codeseek search $argv[1] $word" COMP_CWORD=3 \
        codeseek 2>/dev/null | string replace -r '^[^,]*,' ''
end

function __codeseek_without_command
    not __fish_seen_subcommand_from search similar tui index watch status list forget daemon config completions
end

function __codeseek_search # a query needs no command
    not __fish_seen_subcommand_from similar tui index watch status list forget daemon config completions
end

complete -c codeseek -f
complete -c codeseek -n __codeseek_without_command -a search -d 'Search code and documentation by meaning.'
complete -c codeseek -n __codeseek_without_command -a similar -d 'Find code like the code at a line.'
complete -c codeseek -n __codeseek_without_command -a tui -d 'Search full-screen, as you type.'
complete -c codeseek -n __codeseek_without_command -a index -d 'Bring a project’s index up to date.'
complete -c codeseek -n __codeseek_without_command -a watch -d 'Keep indexes up to date while files change.'
complete -c codeseek -n __codeseek_without_command -a status -d 'Show what is indexed, and what was left out and why.'
complete -c codeseek -n __codeseek_without_command -a list -d 'List the indexes on this machine.'
complete -c codeseek -n __codeseek_without_command -a forget -d 'Delete an index; the files it was made from stay.'
complete -c codeseek -n __codeseek_without_command -a daemon -d 'Keep models and indexes warm in a process of their own.'
complete -c codeseek -n __codeseek_without_command -a config -d 'Show every setting and where its value came from.'
complete -c codeseek -n __codeseek_without_command -a completions -d 'Print a shell’s completion script.'
complete -c codeseek -n __codeseek_without_command -l version -d 'Show the version'
complete -c codeseek -n __codeseek_search -l lang -d 'Only this language' -x -a '(__codeseek_ask --lang)'
complete -c codeseek -n __codeseek_search -l kind -d 'Only this kind: function, method, class, module, config, section, comment' -x -a '(__codeseek_ask --kind)'
complete -c codeseek -n __codeseek_search -l path -d 'Only paths that match; `!GLOB` leaves out' -x -a '(__codeseek_ask --path)'
complete -c codeseek -n __codeseek_search -l exclude -d 'Leave out paths that match' -x -a '(__codeseek_ask --exclude)'
complete -c codeseek -n __codeseek_search -l changed -d 'Only files changed since: `2h`, `3d`, `2026-01-31`' -x
complete -c codeseek -n __codeseek_search -l per-file -d 'Show so many hits of one file' -x
complete -c codeseek -n __codeseek_search -l why -d 'Explain each hit'
complete -c codeseek -n __codeseek_search -l task -d 'Tell a chosen model what the question is for, in its terms or your own' -x
complete -c codeseek -n __codeseek_search -s n -l limit -d 'Show at most so many hits' -x
complete -c codeseek -n __codeseek_search -l format -d 'How to show hits' -x -a 'text json jsonl vimgrep paths markdown sarif'
complete -c codeseek -n __codeseek_search -s l -l files -d 'Show only the files, as `--format paths`'
complete -c codeseek -n __codeseek_search -s 0 -l null -d 'Show only the files, each ended by NUL, for `xargs -0`'
complete -c codeseek -n __codeseek_search -l no-refresh -d 'Answer from the index as it is'
complete -c codeseek -n __codeseek_search -l strict -d 'Exit with 3 when hits may be stale or weaker than they should be'
complete -c codeseek -n __codeseek_search -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n __codeseek_search -s C -l project -d 'Work in the project that holds this folder, instead of the current one' -x -a '(__fish_complete_directories)'
complete -c codeseek -n __codeseek_search -s h -l help -d 'Show this message and exit'
complete -c codeseek -n __codeseek_search -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l lang -d 'Only this language' -x -a '(__codeseek_ask --lang)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l kind -d 'Only this kind: function, method, class, module, config, section, comment' -x -a '(__codeseek_ask --kind)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l path -d 'Only paths that match; `!GLOB` leaves out' -x -a '(__codeseek_ask --path)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l exclude -d 'Leave out paths that match' -x -a '(__codeseek_ask --exclude)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l changed -d 'Only files changed since: `2h`, `3d`, `2026-01-31`' -x
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s n -l limit -d 'Show at most so many hits' -x
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l format -d 'How to show hits' -x -a 'text json jsonl vimgrep paths markdown sarif'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s l -l files -d 'Show only the files, as `--format paths`'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s 0 -l null -d 'Show only the files, each ended by NUL, for `xargs -0`'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l no-refresh -d 'Answer from the index as it is'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l strict -d 'Exit with 3 when hits may be stale or weaker than they should be'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s C -l project -d 'Work in the project that holds this folder, instead of the current one' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -F
complete -c codeseek -n '__fish_seen_subcommand_from tui' -s C -l project -d 'Work in the project that holds this folder, instead of the current one' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from tui' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from index' -l workers -d 'Use so many processes; 0 is one for each core' -x
complete -c codeseek -n '__fish_seen_subcommand_from index' -l quick -d 'Leave the chosen model for later; the bundled one answers meanwhile'
complete -c codeseek -n '__fish_seen_subcommand_from index' -s C -l project -d 'Work in the project that holds this folder, instead of the current one' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from index' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from index' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from watch' -s C -l project -d 'Work in the project that holds this folder, instead of the current one' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from watch' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from status' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from status' -s C -l project -d 'Work in the project that holds this folder, instead of the current one' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from status' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from status' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from status' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from list' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from list' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from list' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from forget' -l model -d 'Delete only what this model has read' -x
complete -c codeseek -n '__fish_seen_subcommand_from forget' -s C -l project -d 'Work in the project that holds this folder, instead of the current one' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from forget' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from forget' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from daemon' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from config' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from config' -s C -l project -d 'Work in the project that holds this folder, instead of the current one' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from config' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from config' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from completions' -l write -d 'Write the scripts of every shell into a folder' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from completions' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from completions' -a 'bash zsh fish'
