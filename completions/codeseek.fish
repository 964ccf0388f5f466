# fish completion for codeseek. Made by `codeseek completions`; `poe completions` writes it anew.

function __codeseek_ask # COMMAND...: the values that the program knows for the word that follows it
    set -l word (commandline -ct)
    set -l count (math (count $argv) + 1)
    _CODESEEK_COMPLETE=bash_complete COMP_WORDS="codeseek $argv $word" COMP_CWORD=$count \
        codeseek 2>/dev/null | string replace -r '^[^,]*,' ''
end

function __codeseek_without_command
    not __fish_seen_subcommand_from search similar context duplicates tui index watch serve mcp status list forget models eval daemon config completions
end

function __codeseek_search # a query needs no command
    not __fish_seen_subcommand_from similar context duplicates tui index watch serve mcp status list forget models eval daemon config completions
end

complete -c codeseek -f
complete -c codeseek -n __codeseek_without_command -a search -d 'Search code and documentation by meaning.'
complete -c codeseek -n __codeseek_without_command -a similar -d 'Find code like the code at a line.'
complete -c codeseek -n __codeseek_without_command -a context -d 'Gather the best passages for a language model, within a budget of tokens.'
complete -c codeseek -n __codeseek_without_command -a duplicates -d 'Find functions, comments and files that are nearly the same.'
complete -c codeseek -n __codeseek_without_command -a tui -d 'Search full-screen, as you type.'
complete -c codeseek -n __codeseek_without_command -a index -d 'Bring the index of a project, or of several, up to date.'
complete -c codeseek -n __codeseek_without_command -a watch -d 'Keep indexes up to date while files change.'
complete -c codeseek -n __codeseek_without_command -a serve -d 'Serve search and embeddings over HTTP.'
complete -c codeseek -n __codeseek_without_command -a mcp -d 'Serve search to coding agents (MCP).'
complete -c codeseek -n __codeseek_without_command -a status -d 'Show what is indexed, and what was left out and why.'
complete -c codeseek -n __codeseek_without_command -a list -d 'List the indexes on this machine.'
complete -c codeseek -n __codeseek_without_command -a forget -d 'Delete an index; the files it was made from stay.'
complete -c codeseek -n __codeseek_without_command -a models -d 'List the models there are; pull, choose and measure them.'
complete -c codeseek -n __codeseek_without_command -a eval -d 'Measure the search on a project’s own questions.'
complete -c codeseek -n __codeseek_without_command -a daemon -d 'Keep models and indexes warm in a process of their own.'
complete -c codeseek -n __codeseek_without_command -a config -d 'Show every setting and where its value came from.'
complete -c codeseek -n __codeseek_without_command -a completions -d 'Print a shell’s completion script.'
complete -c codeseek -n __codeseek_without_command -l version -d 'Show the version'
complete -c codeseek -n __codeseek_search -l lang -d 'Only this language' -x -a '(__codeseek_ask search --lang)'
complete -c codeseek -n __codeseek_search -l kind -d 'Only this kind: function, method, class, module, config, section, comment' -x -a '(__codeseek_ask search --kind)'
complete -c codeseek -n __codeseek_search -l path -d 'Only paths that match; `!GLOB` leaves out' -x -a '(__codeseek_ask search --path)'
complete -c codeseek -n __codeseek_search -l exclude -d 'Leave out paths that match' -x -a '(__codeseek_ask search --exclude)'
complete -c codeseek -n __codeseek_search -l changed -d 'Only files changed since: `2h`, `3d`, `2026-01-31`' -x
complete -c codeseek -n __codeseek_search -l per-file -d 'Show so many hits of one file' -x
complete -c codeseek -n __codeseek_search -l why -d 'Explain each hit'
complete -c codeseek -n __codeseek_search -l stdin -d 'Read the question, or code, from standard input'
complete -c codeseek -n __codeseek_search -l task -d 'Tell a chosen model what the question is for, in its terms or your own' -x
complete -c codeseek -n __codeseek_search -s n -l limit -d 'Show at most so many hits' -x
complete -c codeseek -n __codeseek_search -l format -d 'How to show hits' -x -a 'text json jsonl vimgrep paths markdown sarif'
complete -c codeseek -n __codeseek_search -s l -l files -d 'Show only the files, as `--format paths`'
complete -c codeseek -n __codeseek_search -s 0 -l null -d 'Show only the files, each ended by NUL, for `xargs -0`'
complete -c codeseek -n __codeseek_search -l no-refresh -d 'Answer from the index as it is'
complete -c codeseek -n __codeseek_search -l strict -d 'Exit with 3 when hits may be stale or weaker than they should be'
complete -c codeseek -n __codeseek_search -l offline -d 'Forbid every connection that leaves this machine'
complete -c codeseek -n __codeseek_search -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n __codeseek_search -s C -l project -d 'Ask the project that holds this folder, or is called so; several times: ask them all' -x -a '(__fish_complete_directories) (__codeseek_ask search -C)'
complete -c codeseek -n __codeseek_search -l all -d 'Ask every project that is indexed'
complete -c codeseek -n __codeseek_search -s h -l help -d 'Show this message and exit'
complete -c codeseek -n __codeseek_search -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l lang -d 'Only this language' -x -a '(__codeseek_ask similar --lang)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l kind -d 'Only this kind: function, method, class, module, config, section, comment' -x -a '(__codeseek_ask similar --kind)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l path -d 'Only paths that match; `!GLOB` leaves out' -x -a '(__codeseek_ask similar --path)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l exclude -d 'Leave out paths that match' -x -a '(__codeseek_ask similar --exclude)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l changed -d 'Only files changed since: `2h`, `3d`, `2026-01-31`' -x
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s n -l limit -d 'Show at most so many hits' -x
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l format -d 'How to show hits' -x -a 'text json jsonl vimgrep paths markdown sarif'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s l -l files -d 'Show only the files, as `--format paths`'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s 0 -l null -d 'Show only the files, each ended by NUL, for `xargs -0`'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l no-refresh -d 'Answer from the index as it is'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l strict -d 'Exit with 3 when hits may be stale or weaker than they should be'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l offline -d 'Forbid every connection that leaves this machine'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask similar -C)'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from similar' -F
complete -c codeseek -n '__fish_seen_subcommand_from context' -l tokens -d 'Take no more tokens than N, 4,000 if it is left out' -x
complete -c codeseek -n '__fish_seen_subcommand_from context' -l format -d 'Its form' -x -a 'markdown json'
complete -c codeseek -n '__fish_seen_subcommand_from context' -l lang -d 'Only this language' -x -a '(__codeseek_ask context --lang)'
complete -c codeseek -n '__fish_seen_subcommand_from context' -l kind -d 'Only this kind: function, method, class, module, config, section, comment' -x -a '(__codeseek_ask context --kind)'
complete -c codeseek -n '__fish_seen_subcommand_from context' -l path -d 'Only paths that match; `!GLOB` leaves out' -x -a '(__codeseek_ask context --path)'
complete -c codeseek -n '__fish_seen_subcommand_from context' -l exclude -d 'Leave out paths that match' -x -a '(__codeseek_ask context --exclude)'
complete -c codeseek -n '__fish_seen_subcommand_from context' -l changed -d 'Only files changed since: `2h`, `3d`, `2026-01-31`' -x
complete -c codeseek -n '__fish_seen_subcommand_from context' -l stdin -d 'Read the question, or code, from standard input'
complete -c codeseek -n '__fish_seen_subcommand_from context' -l task -d 'Tell a chosen model what the question is for, in its terms or your own' -x
complete -c codeseek -n '__fish_seen_subcommand_from context' -l no-refresh -d 'Answer from the index as it is'
complete -c codeseek -n '__fish_seen_subcommand_from context' -l offline -d 'Forbid every connection that leaves this machine'
complete -c codeseek -n '__fish_seen_subcommand_from context' -s C -l project -d 'Ask the project that holds this folder, or is called so; several times: ask them all' -x -a '(__fish_complete_directories) (__codeseek_ask context -C)'
complete -c codeseek -n '__fish_seen_subcommand_from context' -l all -d 'Ask every project that is indexed'
complete -c codeseek -n '__fish_seen_subcommand_from context' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from context' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l lang -d 'Only this language' -x -a '(__codeseek_ask duplicates --lang)'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l kind -d 'Only this kind: file, function, method, class, module, config, section, comment' -x -a '(__codeseek_ask duplicates --kind)'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l path -d 'Only paths that match; `!GLOB` leaves out' -x -a '(__codeseek_ask duplicates --path)'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l exclude -d 'Leave out paths that match' -x -a '(__codeseek_ask duplicates --exclude)'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l changed -d 'Only files changed since: `2h`, `3d`, `2026-01-31`' -x
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l min-similarity -d 'How much of their words they have in common, from 0.5 to 1; 0.9 if it is left out' -x
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l min-lines -d 'Leave out what is shorter' -x
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l vendored -d 'Take in folders such as vendor/, third_party/ and generated/'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -s n -l limit -d 'Show so many clusters' -x
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l format -d 'Its form' -x -a 'text json jsonl vimgrep'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l no-refresh -d 'Take the index as it is'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask duplicates -C)'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from duplicates' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from tui' -l offline -d 'Forbid every connection that leaves this machine'
complete -c codeseek -n '__fish_seen_subcommand_from tui' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask tui -C)'
complete -c codeseek -n '__fish_seen_subcommand_from tui' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from index' -l workers -d 'Use so many processes; 0 is one for each core' -x
complete -c codeseek -n '__fish_seen_subcommand_from index' -l quick -d 'Leave the chosen model for later; the bundled one answers meanwhile'
complete -c codeseek -n '__fish_seen_subcommand_from index' -l offline -d 'Forbid every connection that leaves this machine'
complete -c codeseek -n '__fish_seen_subcommand_from index' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask index -C)'
complete -c codeseek -n '__fish_seen_subcommand_from index' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from index' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from watch' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask watch -C)'
complete -c codeseek -n '__fish_seen_subcommand_from watch' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from watch' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from serve' -l http -d 'Listen there; 127.0.0.1:7878 is the usual place' -x
complete -c codeseek -n '__fish_seen_subcommand_from serve' -l token-file -d 'Let in only who sends this token' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from serve' -l allow-origin -d 'Let web pages of this origin use the server' -x
complete -c codeseek -n '__fish_seen_subcommand_from serve' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask serve -C)'
complete -c codeseek -n '__fish_seen_subcommand_from serve' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from serve' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and not __fish_seen_subcommand_from install' -l http -d 'Listen there; 127.0.0.1:7878 is the usual place' -x
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and not __fish_seen_subcommand_from install' -l token-file -d 'Let in only who sends this token' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and not __fish_seen_subcommand_from install' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask mcp -C)'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and not __fish_seen_subcommand_from install' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and not __fish_seen_subcommand_from install' -a install -d 'Tell an agent’s program of codeseek.'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and __fish_seen_subcommand_from install' -l print -d 'Only show what would stand in the client’s file'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and __fish_seen_subcommand_from install' -l undo -d 'Take codeseek out of the client’s file again'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and __fish_seen_subcommand_from install' -s y -l yes -d 'Do not ask'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and __fish_seen_subcommand_from install' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask mcp install -C)'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and __fish_seen_subcommand_from install' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from mcp; and __fish_seen_subcommand_from install' -a 'claude claude-desktop codex cursor gemini vscode zed'
complete -c codeseek -n '__fish_seen_subcommand_from status; and not __fish_seen_subcommand_from daemon' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from status; and not __fish_seen_subcommand_from daemon' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask status -C)'
complete -c codeseek -n '__fish_seen_subcommand_from status; and not __fish_seen_subcommand_from daemon' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from status; and not __fish_seen_subcommand_from daemon' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from status; and not __fish_seen_subcommand_from daemon' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from list' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from list' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from list' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from forget' -l model -d 'Delete only what this model has read' -x
complete -c codeseek -n '__fish_seen_subcommand_from forget' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask forget -C)'
complete -c codeseek -n '__fish_seen_subcommand_from forget' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from forget' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -l json -d 'Show them as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -a recommend -d 'Say which model suits this machine and this project.'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -a info -d 'Show what is known of a model, and what of it is here.'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -a pull -d 'Fetch a model from a hub or its mirror.'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -a import -d 'Take a model in from a file, without any network.'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -a verify -d 'Compare the files of models with what was pinned.'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -a remove -d 'Delete a model’s files from this machine.'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -a use -d 'Choose the model that places text by meaning.'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -a add -d 'Add a model that an OpenAI-compatible server runs.'
complete -c codeseek -n '__fish_seen_subcommand_from models; and not __fish_seen_subcommand_from recommend info pull import verify remove use add bench' -a bench -d 'Measure how fast models embed on this machine.'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from recommend' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from recommend' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask models recommend -C)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from recommend' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from recommend' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from info' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from info' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from info' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from info' -a '(__codeseek_ask models info)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from pull' -l quant -d 'This of its forms, such as Q4_K_M or ONNX' -x -a '(__codeseek_ask models pull --quant)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from pull' -l mirror -d 'Fetch from hf-mirror or modelscope, or from an address that serves Hugging Face’s repositories' -x
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from pull' -l offline -d 'Forbid every connection that leaves this machine'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from pull' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from pull' -a '(__codeseek_ask models pull)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from import' -l as -d 'What it is called' -x -a '(__codeseek_ask models import --as)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from import' -l quant -d 'This of its forms, such as Q4_K_M or ONNX' -x -a '(__codeseek_ask models import --quant)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from import' -l link -d 'Link to the file instead of copying it'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from import' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from import' -F
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from verify' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from verify' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from verify' -a '(__codeseek_ask models verify)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from remove' -l quant -d 'This of its forms, such as Q4_K_M or ONNX' -x -a '(__codeseek_ask models remove --quant)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from remove' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from remove' -a '(__codeseek_ask models remove)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from use' -l dimensions -d 'Cut its vectors to N numbers; 0: leave them' -x
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from use' -l quant -d 'This of its forms, such as Q4_K_M or ONNX' -x -a '(__codeseek_ask models use --quant)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from use' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from use' -a '(__codeseek_ask models use)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from add' -l url -d 'The server’s address, up to and with /v1' -x
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from add' -l remote-name -d 'What the server calls the model' -x
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from add' -l key-variable -d 'The environment variable that holds the key' -x
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from add' -l dimensions -d 'Of its vectors; 0: ask the server' -x
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from add' -l context -d 'Tokens of a text that it takes' -x
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from add' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from add' -a '(__codeseek_ask models add)'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from bench' -l seconds -d 'Embed so long, twice' -x
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from bench' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from bench' -l offline -d 'Forbid every connection that leaves this machine'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from bench' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from bench' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from bench' -a '(__codeseek_ask models bench)'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l questions -d 'Make so many questions; 300' -x
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l queries -d 'Ask these too: JSON lines' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l models -d 'Compare these models; `NAME@256` cuts vectors to so many numbers' -x -a '(__codeseek_ask eval --models)'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l seed -d 'Make other questions with another number; 1' -x
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l format -d 'How to show the figures' -x -a 'text json'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l html -d 'Write a page with plots too' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l baseline -d 'Compare with what `--format json` gave earlier' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l fail-below -d 'Exit with 3 when ndcg@10 is surely below this, such as `0.6`, or `97%` of the baseline' -x
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l workers -d 'Index in so many processes; 0 is one for each core' -x
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l offline -d 'Forbid every connection that leaves this machine'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask eval -C)'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from eval' -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from logs restart start status stop' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from logs restart start status stop' -a logs -d 'Show what it wrote last.'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from logs restart start status stop' -a restart -d 'End it and start it again.'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from logs restart start status stop' -a start -d 'Start it, if there is none.'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from logs restart start status stop' -a status -d 'Show what it has in memory.'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from logs restart start status stop' -a stop -d 'End it when it has done what it is at.'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from logs' -s n -l lines -d 'Show so many lines' -x
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from logs' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from restart' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from start' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from status' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from status' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from status' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from stop' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from config' -l json -d 'Show it as JSON'
complete -c codeseek -n '__fish_seen_subcommand_from config' -s C -l project -d 'Work in the project that holds this folder, or is called so, instead of the current one' -x -a '(__fish_complete_directories) (__codeseek_ask config -C)'
complete -c codeseek -n '__fish_seen_subcommand_from config' -l color -d 'When to use colours' -x -a 'auto always never'
complete -c codeseek -n '__fish_seen_subcommand_from config' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from completions' -l write -d 'Write the scripts of every shell into a folder' -x -a '(__fish_complete_directories)'
complete -c codeseek -n '__fish_seen_subcommand_from completions' -s h -l help -d 'Show this message and exit'
complete -c codeseek -n '__fish_seen_subcommand_from completions' -a 'bash zsh fish'
