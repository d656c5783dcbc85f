//! What a shell command says of itself, read word by word.
//!
//! No shell: variables, aliases and programs that run other programs stay what they are. It looks into the usual
//! wrappers and into what is substituted, and says rather too much than too little.

use super::NETWORK;
use super::path::{Place, is_secret};
use super::words::{is_assignment, is_shell, split, wrapped};

/// In words, each once, in the order of the command.
pub(super) fn risks(command: &str, place: &Place<'_>) -> Vec<String> {
    let mut risks = Vec::new();
    let parts = split(command);
    for (index, words) in parts.iter().enumerate() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // What comes out of the network and goes into a shell is a program that nobody has seen.
        let next = parts
            .get(index + 1)
            .and_then(|words| words.first())
            .map(String::as_str);
        if words.iter().any(|word| matches!(*word, "curl" | "wget")) && next.is_some_and(is_shell) {
            risks.push("runs a program straight from the network".to_owned());
        }
        of_words(&words, place, &mut risks);
    }
    let mut seen = std::collections::BTreeSet::new();
    risks.retain(|risk| seen.insert(risk.clone()));
    risks
}

fn of_words(words: &[&str], place: &Place<'_>, risks: &mut Vec<String>) {
    let Some((program, arguments)) = words.split_first() else {
        return;
    };
    // `NAME=value program …`
    if is_assignment(program) {
        of_paths(program, &[], place, risks);
        return of_words(arguments, place, risks);
    }
    let name = program.rsplit('/').next().unwrap_or(program);
    let mut add = |risk: &str| risks.push(risk.to_owned());
    match name {
        "sudo" | "doas" | "su" | "pkexec" => add("runs as another user, with other rights"),
        "curl" | "wget" | "ssh" | "scp" | "sftp" | "rsync" | "nc" | "ncat" | "netcat"
        | "telnet" | "ftp" | "ping" | "dig" | "gh" | "glab" | "aws" | "gcloud" | "az"
        | "kubectl" | "helm" => add(NETWORK),
        "npm" | "pnpm" | "yarn" | "pip" | "pip3" | "uv" | "gem" | "bundle" | "poetry" | "brew"
        | "apt" | "apt-get" | "dnf" | "yum" | "apk" | "npx" | "pipx" | "cargo" | "go"
        | "docker" | "podman" => packages(name, arguments, &mut add),
        "rm" | "unlink" | "shred" | "rmdir" => deletes(arguments, &mut add),
        "find" if arguments.contains(&"-delete") => add("deletes files"),
        "find"
            if arguments
                .iter()
                .any(|word| matches!(*word, "-exec" | "-execdir" | "-ok")) =>
        {
            add("runs a command for every file found");
        }
        "truncate" | "dd" | "mkfs" => add("overwrites data in place"),
        "git" => git(arguments, &mut add),
        "chmod" | "chown" | "chgrp" | "setfacl" => add("changes who may use files"),
        "kill" | "pkill" | "killall" => add("ends other programs"),
        "systemctl" | "service" | "crontab" | "at" | "launchctl" | "shutdown" | "reboot" => {
            add("changes what this machine runs");
        }
        "printenv" => add("may read secrets: the environment"),
        "env" | "export" | "set" if arguments.is_empty() => {
            add("may read secrets: the environment")
        }
        "eval" | "source" | "." => add("runs text as a command"),
        name if is_shell(name)
            && arguments
                .iter()
                .any(|word| word.starts_with("-") && word.contains('c')) =>
        {
            if let Some(script) = arguments.iter().find(|word| !word.starts_with('-')) {
                risks.extend(self::risks(script, place));
            }
        }
        _ => {}
    }
    of_paths("", arguments, place, risks);
    if let Some(inner) = wrapped(name, arguments) {
        of_words(inner, place, risks);
    }
}

fn packages(name: &str, arguments: &[&str], add: &mut impl FnMut(&str)) {
    let fetches = [
        "install", "i", "ci", "add", "update", "upgrade", "publish", "pull", "push", "get",
        "fetch", "sync", "login", "dlx", "exec", "create", "x", "download", "mod",
    ];
    let verb = arguments.iter().find(|word| !word.starts_with('-'));
    if matches!(name, "npx" | "pipx")
        || verb.is_none() && name == "yarn"
        || verb.is_some_and(|verb| fetches.contains(verb))
    {
        add("fetches from the network, and may run what it fetches");
    }
    if verb == Some(&"publish") {
        add("publishes to others");
    }
}

fn deletes(arguments: &[&str], add: &mut impl FnMut(&str)) {
    let flag = |short: char, long: &str| {
        arguments.iter().any(|word| {
            *word == long
                || word.starts_with('-') && !word.starts_with("--") && word.contains(short)
        })
    };
    if flag('r', "--recursive") || flag('R', "--recursive") {
        add("deletes folders with all they hold");
    } else {
        add("deletes files");
    }
}

fn git(arguments: &[&str], add: &mut impl FnMut(&str)) {
    let Some(at) = verb_of_git(arguments) else {
        return;
    };
    let (verb, rest) = (arguments[at], &arguments[at + 1..]);
    let has = |flags: &[&str]| rest.iter().any(|word| flags.contains(word));
    match verb {
        "push" => {
            add("sends commits to a remote");
            if has(&["--force", "-f", "--force-with-lease", "--mirror"])
                || rest.iter().any(|word| word.starts_with('+'))
            {
                add("overwrites a branch of the remote");
            }
            if has(&["--delete", "-d"]) || rest.iter().any(|word| word.starts_with(':')) {
                add("deletes a branch of the remote");
            }
        }
        "fetch" | "pull" | "clone" | "ls-remote" | "submodule" => add(NETWORK),
        "rebase" | "filter-branch" | "filter-repo" | "replace" => add("rewrites history"),
        "commit" if has(&["--amend"]) => add("rewrites history"),
        "reset" if has(&["--hard", "--merge", "--keep"]) => add("throws away uncommitted work"),
        "reset" if rest.iter().any(|word| word.contains(['~', '^'])) => add("rewrites history"),
        "clean" => add("deletes files that git does not know"),
        "checkout" | "restore" if has(&["--", ".", "-f", "--force"]) || verb == "restore" => {
            add("throws away uncommitted work")
        }
        "stash" if has(&["drop", "clear", "pop"]) => add("throws away stashed work"),
        "branch" | "tag" if has(&["-D", "-d", "--delete"]) => add("deletes a branch or tag"),
        "reflog" | "gc" | "prune" | "update-ref" => add("may make old commits unreachable"),
        "config" | "remote" => add("changes git's settings, some of which are run as programs"),
        _ => {}
    }
}

/// Past `-C folder`, `-c name=value` and other flags before the verb.
fn verb_of_git(arguments: &[&str]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        match *word {
            "-C" | "-c" | "--git-dir" | "--work-tree" => at += 2,
            word if word.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
    None
}

fn of_paths(first: &str, words: &[&str], place: &Place<'_>, risks: &mut Vec<String>) {
    for word in std::iter::once(&first).chain(words) {
        // `of=/dev/sda`, `--file=/etc/x`, `@secret`
        let path = word
            .rsplit_once('=')
            .map_or(*word, |(_, path)| path)
            .trim_start_matches(['@', '<', '>']);
        if path.is_empty() || path.contains("://") {
            continue;
        }
        if is_secret(path) {
            risks.push(format!("may read secrets: `{path}`"));
        }
        let looks_like_a_path = path.starts_with(['/', '~', '.', '$']) || path.contains("/../");
        if looks_like_a_path && place.is_outside(path) {
            risks.push(format!("reaches outside the worktree: `{path}`"));
        }
    }
}
