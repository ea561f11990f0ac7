/* `qiao completion SHELL`: the completion script, made from the command line's own definition so that it cannot go stale. */
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

struct Word {
    std::string long_name;  /* "device" for --device */
    std::string short_name; /* "D" for -D */
    std::string what;
    bool takes_value = false;

    std::string names() const {
        std::string result;
        if (!short_name.empty()) result += "-" + short_name;
        if (!long_name.empty()) result += (result.empty() ? "--" : " --") + long_name;
        return result;
    }
};

struct Verb {
    std::string name;
    std::string what;
    std::vector<Word> words;
    bool takes_devices = false; /* as positionals; else files */
    std::vector<Verb> verbs;    /* "new" and "check" of "plugin" */

    std::string verb_names() const {
        std::string names;
        for (const Verb& verb : verbs)
            names += verb.name + " ";
        return names;
    }
};

/* All verbs, those of verbs by both names: "plugin new". */
std::vector<Verb> flattened(const std::vector<Verb>& verbs) {
    std::vector<Verb> all;
    for (const Verb& verb : verbs) {
        all.push_back(verb);
        for (Verb inner : verb.verbs) {
            inner.name = verb.name + " " + inner.name;
            all.push_back(std::move(inner));
        }
    }
    return all;
}

std::vector<const CLI::App*> shown_verbs(const CLI::App& of) {
    const auto shown = [](const CLI::App* app) { return !app->get_group().empty(); };
    return of.get_subcommands(shown);
}

std::vector<Verb> verbs_of(const CLI::App& root) {
    std::vector<Verb> verbs;
    for (const CLI::App* app : shown_verbs(root)) {
        Verb verb{app->get_name(), app->get_description(), {}, app->get_name() == "info", verbs_of(*app)};
        for (const CLI::Option* option : app->get_options()) {
            const auto& longs = option->get_lnames();
            const auto& shorts = option->get_snames();
            if (longs.empty() && shorts.empty()) continue;
            verb.words.push_back({longs.empty() ? "" : longs[0], shorts.empty() ? "" : shorts[0],
                                  option->get_description(), option->get_expected_max() != 0});
        }
        verbs.push_back(std::move(verb));
    }
    return verbs;
}

/* In single quotes for all three shells; descriptions have neither quotes nor backslashes, and square brackets and colons,
 * which mean something to zsh, are replaced. */
std::string quoted(std::string text) {
    for (char& c : text) {
        if (c == '\'' || c == '\\' || c == '`') c = ' ';
        if (c == '[') c = '(';
        if (c == ']') c = ')';
        if (c == ':') c = ',';
    }
    return text;
}

/* Verbs that have verbs, with '|' between: a pattern of all three shells. */
std::string group_pattern(const std::vector<Verb>& verbs) {
    std::string names;
    for (const Verb& verb : verbs) {
        if (!verb.verbs.empty()) names += (names.empty() ? "" : "|") + verb.name;
    }
    return names;
}

std::string bash_script(const std::vector<Verb>& verbs) {
    std::string names;
    std::string cases;
    for (const Verb& verb : verbs)
        names += verb.name + " ";
    for (const Verb& verb : flattened(verbs)) {
        std::string words = verb.verb_names();
        for (const Word& word : verb.words)
            words += word.names() + " ";
        cases += "    '" + verb.name + "') words='" + words + "' ;;\n";
    }
    return R"sh(# Completion of qiao for bash: eval "$(qiao completion bash)"
_qiao() {
    local line=${COMP_LINE:0:COMP_POINT} words='' verb='' word i
    local current=${line##*[[:space:]]} before=()
    read -ra before <<<"${line%"$current"}"
    for ((i = 1; i < ${#before[@]}; ++i)); do
        [[ ${before[i]} == -* ]] && continue
        [[ -n $verb ]] && { verb+=" ${before[i]}"; break; }
        verb=${before[i]}
        case $verb in )sh" + group_pattern(verbs) + R"sh() ;; *) break ;; esac
    done
    COMPREPLY=()
    case $verb in
    '') words=')sh" +
           names + R"sh(--help --version' ;;
)sh" + cases +
           R"sh(    esac
    if [[ ${before[-1]} == --device || ($verb == info && $current != -*) ]]; then
        words=$(qiao list --ids 2>/dev/null)
    elif [[ $verb == completion && $current != -* ]]; then
        words='bash zsh fish'
    elif [[ -n $verb && $current != -* && $words == -* ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
        return
    fi
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$current")
    # Bash takes ':' for a border between words: only what follows the last one is to be filled in.
    if [[ $COMP_WORDBREAKS == *:* && $current == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*:}"}"}")
    fi
}
complete -F _qiao qiao
)sh";
}

std::string zsh_script(const std::vector<Verb>& verbs) {
    std::string names;
    std::string cases;
    for (const Verb& verb : verbs) {
        names += "        '" + verb.name + ":" + quoted(verb.what) + "'\n";
    }
    for (const Verb& verb : flattened(verbs)) {
        cases += "    '" + verb.name + "')\n        _arguments";
        for (const Word& word : verb.words) {
            const std::string value = !word.takes_value            ? ""
                                      : word.long_name == "device" ? ":device:_qiao_devices"
                                                                   : ":value:_files";
            for (const std::string& name : {word.short_name.empty() ? "" : "-" + word.short_name,
                                            word.long_name.empty() ? "" : "--" + word.long_name}) {
                if (!name.empty()) cases += " \\\n            '*" + name + "[" + quoted(word.what) + "]" + value + "'";
            }
        }
        const std::string rest = !verb.verbs.empty()     ? "(" + verb.verb_names() + ")"
                           : verb.takes_devices          ? "_qiao_devices"
                           : verb.name == "completion" ? "(bash zsh fish)"
                                                       : "_files";
        cases += std::string(" \\\n            '*: :") + rest + "' ;;\n";
    }
    return R"sh(#compdef qiao
# Completion of qiao for zsh: eval "$(qiao completion zsh)" after compinit
_qiao_devices() {
    local -a ids
    ids=(${(f)"$(qiao list --ids 2>/dev/null)"})
    compadd -- $ids
}
_qiao() {
    local -a verbs
    verbs=(
)sh" + names +
           R"sh(    )
    if ((CURRENT == 2)); then
        _describe verb verbs
        return
    fi
    shift words
    ((CURRENT--))
    local verb=$words[1]
    if [[ $verb == ()sh" +
           group_pattern(verbs) + R"sh() ]] && ((CURRENT > 2)); then
        verb+=" $words[2]"
        shift words
        ((CURRENT--))
    fi
    case $verb in
)sh" + cases +
           R"sh(    esac
}
compdef _qiao qiao
)sh";
}

std::string fish_options(const Verb& verb, const std::string& condition) {
    std::string script;
    for (const Word& word : verb.words) {
        script += "complete -c qiao -n '" + condition + "'";
        if (!word.short_name.empty()) script += " -s " + word.short_name;
        if (!word.long_name.empty()) script += " -l " + word.long_name;
        if (word.takes_value) script += word.long_name == "device" ? " -x -a '(qiao list --ids 2>/dev/null)'" : " -r";
        script += " -d '" + quoted(word.what) + "'\n";
    }
    return script;
}

std::string fish_script(const std::vector<Verb>& verbs) {
    std::string script = "# Completion of qiao for fish: qiao completion fish | source\n";
    for (const Verb& verb : verbs) {
        script += "complete -c qiao -n __fish_use_subcommand -f -a " + verb.name + " -d '" + quoted(verb.what) + "'\n";
        const std::string seen = "complete -c qiao -n '__fish_seen_subcommand_from " + verb.name + "'";
        script += fish_options(verb, "__fish_seen_subcommand_from " + verb.name);
        for (const Verb& inner : verb.verbs) {
            const std::string names = verb.verb_names();
            script += "complete -c qiao -n '__fish_seen_subcommand_from " + verb.name + "; and not __fish_seen_subcommand_from " +
                      names + "' -f -a " + inner.name + " -d '" + quoted(inner.what) + "'\n";
            script += fish_options(inner, "__fish_seen_subcommand_from " + verb.name + "; and __fish_seen_subcommand_from " + inner.name);
        }
        if (verb.takes_devices) script += seen + " -f -a '(qiao list --ids 2>/dev/null)'\n";
        if (verb.name == "completion") script += seen + " -f -a 'bash zsh fish'\n";
    }
    return script;
}

int run(const CLI::App& root, const std::string& shell) {
    const std::vector<Verb> verbs = verbs_of(root);
    print(shell == "bash" ? bash_script(verbs) : shell == "zsh" ? zsh_script(verbs) : fish_script(verbs));
    return kExitOk;
}

} // namespace

Command completion_command(CLI::App& root) {
    CLI::App* app = root.add_subcommand("completion", "Print the completion script for bash, zsh or fish");
    auto shell = std::make_shared<std::string>();
    app->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
    return {app, [shell, &root] { return run(root, *shell); }};
}

} // namespace qiao::cli
