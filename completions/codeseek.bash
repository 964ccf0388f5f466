# bash completion for codeseek. Made by `codeseek completions`; `poe completions` writes it anew.

# shellcheck disable=SC2207 # words are split on purpose: by IFS where they may hold spaces

_codeseek_ask() { # OPTION: the values that the program knows
    local IFS=$'\n'
    compopt -o nospace -o filenames
    COMPREPLY=($(
        _CODESEEK_COMPLETE=bash_complete COMP_WORDS="codeseek search $1 $word" COMP_CWORD=3 \
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
            search | similar | tui | index | watch | status | list | forget | daemon | config | completions)
                command=${COMP_WORDS[at]}
                break
                ;;
            *)
                command=search
                break
                ;;
        esac
    done
    COMPREPLY=()
    case ${command:-search} in
        search)
            case $before in
                --lang) _codeseek_ask --lang; return ;;
                --kind) _codeseek_ask --kind; return ;;
                --path) _codeseek_ask --path; return ;;
                --exclude) _codeseek_ask --exclude; return ;;
                --format) COMPREPLY=($(compgen -W 'text json jsonl vimgrep paths markdown sarif' -- "$word")); return ;;
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
                -C | --project) _codeseek_folders; return ;;
                --changed | --per-file | --task | -n | --limit) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--lang --kind --path --exclude --changed --per-file --why --task --limit --format --files --null --no-refresh --strict --color --project --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        similar)
            case $before in
                --lang) _codeseek_ask --lang; return ;;
                --kind) _codeseek_ask --kind; return ;;
                --path) _codeseek_ask --path; return ;;
                --exclude) _codeseek_ask --exclude; return ;;
                --format) COMPREPLY=($(compgen -W 'text json jsonl vimgrep paths markdown sarif' -- "$word")); return ;;
                --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
                -C | --project) _codeseek_folders; return ;;
                --changed | -n | --limit) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--lang --kind --path --exclude --changed --limit --format --files --null --no-refresh --strict --color --project --help' -- "$word"))
            else
                _codeseek_files
            fi
            ;;
        tui)
            case $before in
                -C | --project) _codeseek_folders; return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--project --help' -- "$word"))
            fi
            ;;
        index)
            case $before in
                -C | --project) _codeseek_folders; return ;;
                --workers) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--workers --quick --project --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        watch)
            case $before in
                -C | --project) _codeseek_folders; return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--project --help' -- "$word"))
            fi
            ;;
        status)
            case $before in
                -C | --project) _codeseek_folders; return ;;
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
                -C | --project) _codeseek_folders; return ;;
                --model) return ;;
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--model --project --help' -- "$word"))
            else
                _codeseek_folders
            fi
            ;;
        daemon)
            case $before in
            esac
            if [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W '--help' -- "$word"))
            fi
            ;;
        config)
            case $before in
                -C | --project) _codeseek_folders; return ;;
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
        [[ $word == -* ]] || COMPREPLY=($(compgen -W 'search similar tui index watch status list forget daemon config completions' -- "$word"))
    fi
}

complete -F _codeseek codeseek
