"""`goto completion SHELL`: a static script that completes the words of goto, over the tree of its commands.

A Tab starts no process but for names, which `goto ctl --names KIND` is asked for. The script walks along the words that stand
there already, from one place in the tree to the next, and offers what may follow.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from goto.command.ctl.arguments import ABOUT, BARE
from goto.command.ctl.names import kind_of
from goto.command.ctl.short import SHORTS
from goto.command.ctl.table import WAYS

FILES = "files"
"""The kind of a word that is the name of a file."""

ANY = "*"
"""In a place: any word."""


@dataclass
class Below:
    """What may follow at a place."""

    words: list[str] = field(default_factory=list)
    kind: str = ""
    """What else may stand there: FILES, a kind of names, `any`, or nothing."""
    options: list[str] = field(default_factory=list)
    """Those that take a value have a `=` behind."""


def tree(parser: argparse.ArgumentParser) -> dict[str, Below]:
    """Every place, as its words with `/` between them, with what may follow there."""
    places: dict[str, Below] = {"": Below()}
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        places[""].words.append(name)
        places[name] = _of_command(command)
        for shell in places[name].words:
            places[f"{name}/{shell}"] = Below()
    places[""].options = places["serve"].options
    places["ctl"] = Below()
    for way in WAYS:
        _walk(places, way.words).options += [_option(one.option, one.kinds) for one in way.options]
    for short in SHORTS:
        place = _walk(places, short.words)
        if short.behind:
            place.kind = FILES if short.behind == ("FILE",) else "any"
            place = places.setdefault("/".join(("ctl", *short.words, ANY)), Below())
            place.options += [_option(one.option, one.kinds) for one in short.fields]
        _walk(places, short.words).options += [_option(one.option, one.kinds) for one in short.fields]
    about = ["--" + name + ("" if name in BARE else "=") for name in ABOUT]
    for name, place in places.items():
        if name.split("/")[0] == "ctl":
            known = {option.rstrip("=") for option in place.options}
            place.options = [*dict.fromkeys(place.options), *(one for one in about if one.rstrip("=") not in known), "-f="]
    return places


def _walk(places: dict[str, Below], words: Sequence[str]) -> Below:
    """The place behind some words of `ctl`, made with all those before it."""
    at = "ctl"
    for number, word in enumerate(words):
        below = places[at]
        if word.startswith("{"):
            below.kind = below.kind or kind_of("/".join(["", *words[: number + 1]])) or "any"
            at += f"/{ANY}"
        else:
            if word not in below.words:
                below.words.append(word)
            at += f"/{word}"
        places.setdefault(at, Below())
    return places[at]


def _of_command(command: argparse.ArgumentParser) -> Below:
    below = Below()
    for action in command._actions:
        if action.option_strings:
            if action.help != argparse.SUPPRESS:
                below.options += [name + ("" if action.nargs == 0 else "=") for name in action.option_strings]
        elif action.choices:
            below.words += map(str, action.choices)
        else:
            below.kind = FILES if action.metavar == "FILE" else "any"
    return below


def _option(name: str, kinds: str) -> str:
    return name if kinds == "b" else f"{name}="


# ---------------------------------------------------------------- the scripts
def completion(shell: str, parser: argparse.ArgumentParser) -> int:
    """Print the script for a shell. Returns the exit status."""
    print(script(shell, tree(parser)), end="")
    return 0


def script(shell: str, places: dict[str, Below]) -> str:
    if shell == "fish":
        return _FISH.replace("@CASES@", "\n".join(_fish_cases(places)))
    return {"bash": _BASH, "zsh": _ZSH}[shell].replace("@CASES@", "\n".join(_cases(places)))


def _cases(places: dict[str, Below]) -> Iterator[str]:
    for name, below in places.items():
        yield f"    {_quoted(name)}) below={_quoted(' '.join(below.words))} kind={_quoted(below.kind)}"
        yield f"      options={_quoted(' '.join(below.options))} ;;"


def _fish_cases(places: dict[str, Below]) -> Iterator[str]:
    for name, below in places.items():
        yield f"        case {_quoted(name.replace('*', chr(92) + '*'))}"
        yield f"            set -g __goto_words {' '.join(below.words)}"
        yield f"            set -g __goto_kind {_quoted(below.kind)}"
        yield f"            set -g __goto_options {' '.join(below.options)}"


def _quoted(text: str) -> str:
    assert "'" not in text
    return f"'{text}'"


_BASH = r"""# Completion of goto for bash: source <(goto completion bash)
# below: what may follow at the place $1; kind: what else may; options: those with a = behind take a value
__goto_below() {
  case $1 in
@CASES@
    *) below= kind= options= ;;
  esac
}

_goto() {
  local line place= word below kind options value= about= cur= IFS=$' \t\n'
  COMPREPLY=()
  # COMP_WORDS are split at the : of URLs too
  line=${COMP_LINE:0:COMP_POINT}
  [[ $line =~ [^[:space:]]*$ ]] && cur=${BASH_REMATCH[0]}
  line=${line%"$cur"}
  set -f; set -- $line; set +f
  shift
  __goto_below "$place"
  while (($#)); do
    word=$1
    shift
    if [[ $word == -* ]]; then
      if [[ $word != *=* && " $options " == *" $word= "* ]]; then
        if ((!$#)); then value=$word; break; fi
        case $word in --url | --token | --port) about="$about $word $1" ;; esac
        shift
      fi
    elif [[ " $below " == *" $word "* ]]; then
      place=${place:+$place/}$word
      __goto_below "$place"
    elif [[ -n $kind ]]; then
      place=${place:+$place/}\*
      __goto_below "$place"
    else
      return
    fi
  done
  if [[ -n $value ]]; then
    case $value in
      -f | --config | --cert | --key | --feature | --cacert) COMPREPLY=($(compgen -f -- "$cur")) ;;
    esac
    return
  fi
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "${options//=/}" -- "$cur"))
    return
  fi
  COMPREPLY=($(compgen -W "$below" -- "$cur"))
  case $kind in
    '' | any) ;;
    files) COMPREPLY+=($(compgen -f -- "$cur")) ;;
    *)
      while IFS= read -r word; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf %q "$word")")
      done < <(goto ctl --names "$kind" $about 2>/dev/null)
      ;;
  esac
}
complete -F _goto goto
"""

_ZSH = r"""#compdef goto
# Completion of goto for zsh: source <(goto completion zsh), or as the file _goto in a folder of fpath
# below: what may follow at the place $1; kind: what else may; options: those with a = behind take a value
__goto_below() {
  case $1 in
@CASES@
    *) below= kind= options= ;;
  esac
}

_goto() {
  local place= word= below= kind= options= value=
  local -a line about found
  line=("${(@Q)words[2,CURRENT-1]}")
  __goto_below "$place"
  while (( $#line )); do
    word=$line[1]
    shift line
    if [[ $word == -* ]]; then
      if [[ $word != *=* && " $options " == *" $word= "* ]]; then
        if (( ! $#line )); then value=$word; break; fi
        case $word in --url | --token | --port) about+=("$word" "$line[1]") ;; esac
        shift line
      fi
    elif [[ " $below " == *" $word "* ]]; then
      place=${place:+$place/}$word
      __goto_below "$place"
    elif [[ -n $kind ]]; then
      place="${place:+$place/}*"
      __goto_below "$place"
    else
      return 1
    fi
  done
  if [[ -n $value ]]; then
    case $value in
      -f | --config | --cert | --key | --feature | --cacert) _files ;;
    esac
    return
  fi
  if [[ $PREFIX == -* ]]; then
    found=(${=options//=/})
    compadd -a found
    return
  fi
  found=(${=below})
  compadd -a found
  case $kind in
    '' | any) ;;
    files) _files ;;
    *)
      found=("${(@f)$(goto ctl --names "$kind" "${about[@]}" 2>/dev/null)}")
      found=(${found:#})
      compadd -a found
      ;;
  esac
}

if [[ $funcstack[1] == _goto ]]; then
  _goto
else
  compdef _goto goto
fi
"""

_FISH = r"""# Completion of goto for fish: goto completion fish | source
# __goto_words: what may follow at the place; __goto_kind: what else may; __goto_options: those with a = behind take a value
function __goto_below
    set -g __goto_words
    set -g __goto_kind ''
    set -g __goto_options
    switch $argv[1]
@CASES@
    end
end

function __goto_complete
    set -l line (commandline -opc)
    set -e line[1]
    set -l current (commandline -ct)
    set -l place ''
    set -l about
    set -l value ''
    __goto_below "$place"
    while test (count $line) -gt 0
        set -l word $line[1]
        set -e line[1]
        set -l next ''
        if string match -q -- '-*' $word
            if contains -- "$word=" $__goto_options
                if test (count $line) -eq 0
                    set value $word
                    break
                end
                contains -- $word --url --token --port; and set about $about $word $line[1]
                set -e line[1]
            end
            continue
        else if contains -- $word $__goto_words
            set next $word
        else if test -n "$__goto_kind"
            set next '*'
        else
            return
        end
        set place (string trim -l -c / -- "$place/$next")
        __goto_below "$place"
    end
    if test -n "$value"
        contains -- $value -f --config --cert --key --feature --cacert; and __fish_complete_path $current
        return
    end
    if string match -q -- '-*' $current
        string replace -- '=' '' $__goto_options
        return
    end
    printf '%s\n' $__goto_words
    switch "$__goto_kind"
        case '' any
        case files
            __fish_complete_path $current
        case '*'
            goto ctl --names "$__goto_kind" $about 2>/dev/null
    end
end
complete -c goto -f -a '(__goto_complete)'
"""
