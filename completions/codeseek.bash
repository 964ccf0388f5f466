# bash completion for codeseek. Made by `codeseek completions`; `poe completions` writes it anew.

# shellcheck disable=SC2207 # words are split on purpose: by IFS where they may hold spaces

_codeseek_ask() { # COMMAND...: the values that the program knows for the word that follows it
    local words="$*" IFS=$'\n'
    compopt -o nospace -o filenames
    COMPREPLY=($(
        _CODESEEK_COMPLETE=bash_complete COMP_WORDS="codeseek $words $word" COMP_CWORD=$(($# + 1)) \
            codeseek 2>/dev/null | cut -d, -f2-
    ))
}

_codeseek_folders() {
    local IFS=$'\n'
    compopt -o filenames
    COMPREPLY=($(compgen -d -- "$word"))
}

_codeseek_files() {
    local IFS=$'\n'
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$word"))
}

_codeseek() {
    local IFS=$' \t\n' word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command='' at
    if [[ $word == '=' ]]; then
        word=''
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${COMP_WORDS[at]} in
            -C | --project | --color) ((at++)) ;;
            search | similar | context | duplicates | tui | index | watch | serve | mcp | status | list | forget | models | eval | daemon | config | completions)
                command=${COMP_WORDS[at]}
                break
                ;;
            *)
                command=search
                break
                ;;
        esac
    done
    if [[ $command == mcp ]]; then
        for ((at++; at < COMP_CWORD; at++)); do
            case ${COMP_WORDS[at]} in
                install)
                    command+=" ${COMP_WORDS[at]}"
                    break
                    ;;
            esac
        done
    fi
    if [[ $command == models ]]; then
        for ((at++; at < COMP_CWORD; at++)); do
            case ${COMP_WORDS[at]} in
                recommend | info | pull | import | verify | remove | use | add | bench)
                    command+=" ${COMP_WORDS[at]}"
                    break
                    ;;
            esac
        done
    fi
    if [[ $command == daemon ]]; then
        for ((at++; at < COMP_CWORD; at++)); do
            case ${COMP_WORDS[at]} in
                logs | restart | start | status | stop)
                    command+=" ${COMP_WORDS[at]}"
                    break
                    ;;
            esac
        done
    fi
    COMPREPLY=()
    case ${command:-search} in
        search)
            case $before in
                --lang) _codeseek_ask search --lang; return ;;
                --kind) _codeseek_ask search --kind; return ;;
                --path) _codeseek_ask search --path; return ;;
                --exclude) _codeseek_ask search --exclude; return ;;
                --format) COMPREPLY=($(compgen -W 'text json jsonl vimgrep paths markdown sarif' -- "$word")); return ;;
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask search -C; return ;;
                --changed | --per-file | --task | -n | --limit) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--lang --kind --path --exclude --changed --per-file --why --stdin --task --limit --format --files --null --no-refresh --strict --offline --color --project --all --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        similar)
            case $before in
                --lang) _codeseek_ask similar --lang; return ;;
                --kind) _codeseek_ask similar --kind; return ;;
                --path) _codeseek_ask similar --path; return ;;
                --exclude) _codeseek_ask similar --exclude; return ;;
                --format) COMPREPLY=($(compgen -W 'text json jsonl vimgrep paths markdown sarif' -- "$word")); return ;;
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask similar -C; return ;;
                --changed | -n | --limit) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--lang --kind --path --exclude --changed --limit --format --files --null --no-refresh --strict --offline --color --project --help' -- "$word"))
            else
                _codeseek_files
            fi
            ;;
        context)
            case $before in
                --format) COMPREPLY=($(compgen -W 'markdown json' -- "$word")); return ;;
                --lang) _codeseek_ask context --lang; return ;;
                --kind) _codeseek_ask context --kind; return ;;
                --path) _codeseek_ask context --path; return ;;
                --exclude) _codeseek_ask context --exclude; return ;;
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask context -C; return ;;
                --tokens | --changed | --task) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--tokens --format --lang --kind --path --exclude --changed --stdin --task --no-refresh --offline --project --all --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        duplicates)
            case $before in
                --lang) _codeseek_ask duplicates --lang; return ;;
                --kind) _codeseek_ask duplicates --kind; return ;;
                --path) _codeseek_ask duplicates --path; return ;;
                --exclude) _codeseek_ask duplicates --exclude; return ;;
                --format) COMPREPLY=($(compgen -W 'text json jsonl vimgrep' -- "$word")); return ;;
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask duplicates -C; return ;;
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
                --changed | --min-similarity | --min-lines | -n | --limit) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--lang --kind --path --exclude --changed --min-similarity --min-lines --vendored --limit --format --no-refresh --project --color --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        tui)
            case $before in
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask tui -C; return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--offline --project --help' -- "$word"))
            fi
            ;;
        index)
            case $before in
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask index -C; return ;;
                --workers) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--workers --quick --offline --project --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        watch)
            case $before in
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask watch -C; return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--project --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        serve)
            case $before in
                --token-file) _codeseek_folders; return ;;
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask serve -C; return ;;
                --http | --allow-origin) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--http --token-file --allow-origin --project --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        mcp)
            case $before in
                --token-file) _codeseek_folders; return ;;
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask mcp -C; return ;;
                --http) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--http --token-file --project --help' -- "$word"))
            else
                COMPREPLY=($(compgen -W 'install' -- "$word"))
            fi
            ;;
        'mcp install')
            case $before in
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask mcp install -C; return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--print --undo --yes --project --help' -- "$word"))
            else
                COMPREPLY=($(compgen -W 'claude claude-desktop codex cursor gemini vscode zed' -- "$word"))
            fi
            ;;
        status)
            case $before in
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask status -C; return ;;
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--json --project --color --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        list)
            case $before in
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--json --color --help' -- "$word"))
            fi
            ;;
        forget)
            case $before in
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask forget -C; return ;;
                --model) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--model --project --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        models)
            case $before in
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--json --color --help' -- "$word"))
            else
                COMPREPLY=($(compgen -W 'recommend info pull import verify remove use add bench' -- "$word"))
            fi
            ;;
        'models recommend')
            case $before in
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask models recommend -C; return ;;
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--json --project --color --help' -- "$word"))
            fi
            ;;
        'models info')
            case $before in
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--json --color --help' -- "$word"))
            else
                _codeseek_ask models info
            fi
            ;;
        'models pull')
            case $before in
                --quant) _codeseek_ask models pull --quant; return ;;
                --mirror) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--quant --mirror --offline --help' -- "$word"))
            else
                _codeseek_ask models pull
            fi
            ;;
        'models import')
            case $before in
                --as) _codeseek_ask models import --as; return ;;
                --quant) _codeseek_ask models import --quant; return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--as --quant --link --help' -- "$word"))
            else
                _codeseek_files
            fi
            ;;
        'models verify')
            case $before in
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--color --help' -- "$word"))
            else
                _codeseek_ask models verify
            fi
            ;;
        'models remove')
            case $before in
                --quant) _codeseek_ask models remove --quant; return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--quant --help' -- "$word"))
            else
                _codeseek_ask models remove
            fi
            ;;
        'models use')
            case $before in
                --quant) _codeseek_ask models use --quant; return ;;
                --dimensions) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--dimensions --quant --help' -- "$word"))
            else
                _codeseek_ask models use
            fi
            ;;
        'models add')
            case $before in
                --url | --remote-name | --key-variable | --dimensions | --context) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--url --remote-name --key-variable --dimensions --context --help' -- "$word"))
            else
                _codeseek_ask models add
            fi
            ;;
        'models bench')
            case $before in
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
                --seconds) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--seconds --json --offline --color --help' -- "$word"))
            else
                _codeseek_ask models bench
            fi
            ;;
        eval)
            case $before in
                --queries) _codeseek_folders; return ;;
                --models) _codeseek_ask eval --models; return ;;
                --format) COMPREPLY=($(compgen -W 'text json' -- "$word")); return ;;
                --html) _codeseek_folders; return ;;
                --baseline) _codeseek_folders; return ;;
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask eval -C; return ;;
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
                --questions | --seed | --fail-below | --workers) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--questions --queries --models --seed --format --html --baseline --fail-below --workers --offline --project --color --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        daemon)
            case $before in
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--help' -- "$word"))
            else
                COMPREPLY=($(compgen -W 'logs restart start status stop' -- "$word"))
            fi
            ;;
        'daemon logs')
            case $before in
                -n | --lines) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--lines --help' -- "$word"))
            fi
            ;;
        'daemon restart')
            case $before in
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--help' -- "$word"))
            fi
            ;;
        'daemon start')
            case $before in
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--help' -- "$word"))
            fi
            ;;
        'daemon status')
            case $before in
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--json --color --help' -- "$word"))
            fi
            ;;
        'daemon stop')
            case $before in
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--help' -- "$word"))
            fi
            ;;
        config)
            case $before in
                -C | --project) _codeseek_folders; ((${#COMPREPLY[@]})) || _codeseek_ask config -C; return ;;
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--json --project --color --help' -- "$word"))
            fi
            ;;
        completions)
            case $before in
                --write) _codeseek_folders; return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--write --help' -- "$word"))
            else
                COMPREPLY=($(compgen -W 'bash zsh fish' -- "$word"))
            fi
            ;;
    esac
    if [[ -z $command ]]; then
        [[ $word == -* ]] && COMPREPLY+=($(compgen -W '--version' -- "$word"))
        [[ $word == -* ]] || COMPREPLY=($(compgen -W 'search similar context duplicates tui index watch serve mcp status list forget models eval daemon config completions' -- "$word"))
    fi
}

complete -F _codeseek codeseek
