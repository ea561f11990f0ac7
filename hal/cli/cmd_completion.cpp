/* `qiao completion SHELL`: the completion script, made from the command line's own definition so that it cannot go stale. */
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
};

std::vector<Verb> verbs_of(const CLI::App& root) {
    std::vector<Verb> verbs;
    for (const CLI::App* app : root.get_subcommands([](const CLI::App*) { return true; })) {
        Verb verb{app->get_name(), app->get_description(), {}, app->get_name() == "info"};
        for (const CLI::Option* option : app->get_options()) {
            const auto& longs = option->get_lnames();
            const auto& shorts = option->get_snames();
            if (longs.empty() && shorts.empty()) continue;
            verb.words.push_back({longs.empty() ? "" : longs[0], shorts.empty() ? "" : shorts[0],
                                  option->get_description(), option->get_type_size_max() != 0});
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

std::string bash_script(const std::vector<Verb>& verbs) {
    std::string names;
    std::string cases;
    for (const Verb& verb : verbs) {
        names += verb.name + " ";
        std::string words;
        for (const Word& word : verb.words)
            words += word.names() + " ";
        cases += "    " + verb.name + ") words='" + words + "' ;;\n";
    }
    return R"sh(# Completion of qiao for bash: eval "$(qiao completion bash)"
_qiao() {
    local line=${COMP_LINE:0:COMP_POINT} words='' verb='' word i
    local current=${line##*[[:space:]]} before=()
    read -ra before <<<"${line%"$current"}"
    for ((i = 1; i < ${#before[@]}; ++i)); do
        [[ ${before[i]} == -* ]] || { verb=${before[i]}; break; }
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
    elif [[ -n $verb && $current != -* ]]; then
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
        cases += "    " + verb.name + ")\n        _arguments";
        for (const Word& word : verb.words) {
            const std::string value = !word.takes_value            ? ""
                                      : word.long_name == "device" ? ":device:_qiao_devices"
                                                                   : ":value:_files";
            for (const std::string& name : {word.short_name.empty() ? "" : "-" + word.short_name,
                                            word.long_name.empty() ? "" : "--" + word.long_name}) {
                if (!name.empty()) cases += " \\\n            '*" + name + "[" + quoted(word.what) + "]" + value + "'";
            }
        }
        const char* rest = verb.takes_devices          ? "_qiao_devices"
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
    case $words[1] in
)sh" + cases +
           R"sh(    esac
}
compdef _qiao qiao
)sh";
}

std::string fish_script(const std::vector<Verb>& verbs) {
    std::string script = "# Completion of qiao for fish: qiao completion fish | source\n";
    for (const Verb& verb : verbs) {
        script += "complete -c qiao -n __fish_use_subcommand -f -a " + verb.name + " -d '" + quoted(verb.what) + "'\n";
        const std::string seen = "complete -c qiao -n '__fish_seen_subcommand_from " + verb.name + "'";
        for (const Word& word : verb.words) {
            script += seen;
            if (!word.short_name.empty()) script += " -s " + word.short_name;
            if (!word.long_name.empty()) script += " -l " + word.long_name;
            if (word.takes_value)
                script += word.long_name == "device" ? " -x -a '(qiao list --ids 2>/dev/null)'" : " -r";
            script += " -d '" + quoted(word.what) + "'\n";
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
