//! A path map read off the files that both servers hold.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::path::{self, Path, common_tail};
use crate::{PathMap, SceneFile};

/// Examples that a rule has at most.
const EXAMPLES: usize = 3;

/// The files of both servers. A name and size that stands for several files of one server speaks
/// for nothing.
///
/// ```
/// use scene_sync::{Files, SceneFile};
///
/// let mut files = Files::default();
/// let file = SceneFile { path: "/data/a/x.mp4".into(), size: Some(7), duration: None };
/// files.in_stash(1, &file);
/// files.in_plex("/media/a/x.mp4", Some(7));
/// let proposal = files.propose(&[]);
/// assert_eq!(proposal.map(), [("/data".into(), "/media".into())]);
/// assert_eq!((proposal.scenes, proposal.right, proposal.rules[0].scenes), (1, 0, 1));
/// ```
#[derive(Debug, Default)]
pub struct Files {
    stash: Marked<u64>,
    plex: Marked<()>,
}

/// By what a file is known on both sides: its name, whatever the case, and its size.
type Mark = (String, u64);

/// The one file of each mark; none where it stands for several.
type Marked<T> = HashMap<Mark, Option<(T, String)>>;

/// What the files of both servers say about the path map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposal {
    /// Scenes with a file that both servers have, known by its name and size.
    pub scenes: u64,
    /// Those of them whose files are where the map in force leads.
    pub right: u64,
    /// Those whose files would not be where the proposed map leads; the same as before where
    /// nothing is proposed.
    pub wrong: u64,
    /// The rules of a better map; none where there is none.
    pub rules: Vec<SuggestedRule>,
    /// Rules in force about folders of which the files say nothing.
    pub kept: Vec<(String, String)>,
}

/// A rule that files speak for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuggestedRule {
    /// The folder as Stash sees it.
    pub from: String,
    /// As Plex sees it.
    pub to: String,
    /// Scenes with a file that it leads to where Plex has it.
    pub scenes: u64,
    /// Some of these files, as Stash and as Plex see them.
    pub examples: Vec<(String, String)>,
}

impl Proposal {
    /// Each file that both have is where the map in force leads, and there is one.
    pub fn agrees(&self) -> bool {
        self.scenes > 0 && self.right == self.scenes
    }

    /// The whole map to set: what is proposed, and what stays.
    pub fn map(&self) -> Vec<(String, String)> {
        let rules = self.rules.iter();
        let rules = rules.map(|rule| (rule.from.clone(), rule.to.clone()));
        rules.chain(self.kept.iter().cloned()).collect()
    }
}

impl Files {
    /// Takes a file of a scene.
    pub fn in_stash(&mut self, scene: u64, file: &SceneFile) {
        add(&mut self.stash, &file.path, file.size, scene);
    }

    /// Takes a file of an item. One that two libraries show is one.
    pub fn in_plex(&mut self, path: &str, size: Option<u64>) {
        add(&mut self.plex, path, size, ());
    }

    /// The map that leads most of the files to where Plex has them; `current` is the one in force.
    pub fn propose(self, current: &[(String, String)]) -> Proposal {
        let pairs = self.pairs();
        let old = map(current);
        let right = pairs.iter().filter(|pair| pair.agrees_with(&old)).count();
        let mut proposal = Proposal {
            scenes: scenes(pairs.iter()),
            ..Proposal::default()
        };
        let wrong = |map: &PathMap| scenes(pairs.iter().filter(|pair| !pair.agrees_with(map)));
        proposal.wrong = wrong(&old);
        proposal.right = proposal.scenes - proposal.wrong;
        let rules = rules(&pairs);
        let kept = unused(current, &old, &pairs, &rules);
        let all: Vec<_> = rules.iter().chain(&kept).cloned().collect();
        let new = map(&all);
        if pairs.iter().filter(|pair| pair.agrees_with(&new)).count() <= right {
            return proposal;
        }
        proposal.wrong = wrong(&new);
        let rules = rules.into_iter().enumerate();
        let rules = rules.map(|(nth, (from, to))| {
            let speaks =
                |pair: &&Pair| new.deciding(&pair.stash.1) == Some(nth) && pair.agrees_with(&new);
            let speaking = || pairs.iter().filter(speaks);
            let paths = |pair: &Pair| (pair.stash.1.clone(), pair.plex.clone());
            SuggestedRule {
                from,
                to,
                scenes: scenes(speaking()),
                examples: speaking().take(EXAMPLES).map(paths).collect(),
            }
        });
        proposal.rules = rules.collect();
        proposal.kept = kept;
        proposal
    }

    /// The files that are one, in the order of their folders in Stash.
    fn pairs(mut self) -> Vec<Pair> {
        let both = self
            .stash
            .into_iter()
            .filter_map(|(mark, stash)| Pair::new(stash?, self.plex.remove(&mark)??.1));
        let mut pairs: Vec<_> = both.collect();
        pairs.sort_by(|one, other| (&one.ours, &one.stash).cmp(&(&other.ours, &other.stash)));
        pairs
    }
}

fn add<T>(to: &mut Marked<T>, path: &str, size: Option<u64>, of: T) {
    // An empty file is like any other.
    let Some(size) = size.filter(|size| *size > 0) else {
        return;
    };
    let known = to.entry((path::name_key(path), size));
    let known = known.or_insert_with(|| Some((of, path.to_owned())));
    *known = known
        .take()
        .filter(|(_, known)| path::key(known) == path::key(path));
}

/// A file of both servers.
struct Pair {
    /// The scene, and its path as Stash sees it.
    stash: (u64, String),
    plex: String,
    /// The parts of both paths as they are compared.
    ours: Vec<String>,
    theirs: Vec<String>,
    /// So many parts at the end are the same for Plex.
    common: usize,
    /// Both are the same path, without any rule.
    same: bool,
}

impl Pair {
    fn new(stash: (u64, String), plex: String) -> Option<Self> {
        let (our_path, their_path) = (Path::parse(&stash.1), Path::parse(&plex));
        let common = common_tail(&our_path, &their_path);
        (common > 0).then(|| Self {
            ours: our_path.keys(our_path.windows),
            theirs: their_path.keys(their_path.windows),
            common,
            same: path::key(&stash.1) == path::key(&plex),
            stash,
            plex,
        })
    }

    /// Where the folder of the first `depth` parts would have to lead.
    fn leads(&self, depth: usize) -> Option<&[String]> {
        let below = self.ours.len().checked_sub(depth)?;
        let is_folder = (1..=self.common).contains(&below);
        is_folder.then(|| &self.theirs[..self.theirs.len() - below])
    }

    fn agrees_with(&self, map: &PathMap) -> bool {
        path::key(&map.map(&self.stash.1)) == path::key(&self.plex)
    }
}

/// Rules each of which is right for more than half of the files that it decides about.
fn rules(pairs: &[Pair]) -> Vec<(String, String)> {
    let all: Vec<_> = pairs.iter().collect();
    let mut no_rule_for = BTreeSet::new();
    loop {
        let mut rules = Vec::new();
        below(&all, 0, None, &no_rule_for, &mut rules);
        let map = map(&rules);
        let mut counts = vec![(0, 0); rules.len()];
        for pair in pairs {
            if let Some(nth) = map.deciding(&pair.stash.1) {
                let (all, right) = &mut counts[nth];
                *all += 1;
                *right += usize::from(pair.agrees_with(&map));
            }
        }
        let counted = rules.iter().zip(counts);
        let doubtful = counted.filter(|(_, (all, right))| 2 * right <= *all);
        let doubtful: Vec<_> = doubtful.map(|((from, _), _)| from.clone()).collect();
        if doubtful.is_empty() {
            return rules;
        }
        no_rule_for.extend(doubtful);
    }
}

/// So many of the places that a folder may lead to are looked at, those with the most files.
const PLACES: usize = 8;

/// Where the folder of the first so many parts leads.
type Leads<'p> = (usize, &'p [String]);

/// What it costs to have a folder lead somewhere: files in it that are then nowhere else, and
/// folders below that need a rule of their own.
type Cost = (usize, usize, Reverse<usize>);

/// Finds rules for the folder that these files have in common, their first `depth` parts, and for
/// those below it.
fn below<'p>(
    pairs: &[&'p Pair],
    depth: usize,
    from_above: Option<Leads<'p>>,
    no_rule_for: &BTreeSet<String>,
    rules: &mut Vec<(String, String)>,
) {
    let fits = |pair: &Pair, to: Option<Leads<'p>>| match to {
        None => pair.same,
        Some((depth, to)) => pair.leads(depth) == Some(to),
    };
    let Some(first) = pairs.first().filter(|_| {
        let right = |pair: &&'p Pair| fits(pair, from_above);
        !pairs.iter().all(right)
    }) else {
        return;
    };
    let folders = || pairs.chunk_by(|one, other| one.ours.get(depth) == other.ours.get(depth));
    let is_direct = |pair: &Pair| pair.ours.len() == depth + 1;
    let cost = |to: Option<Leads<'p>>| -> Cost {
        let wrong = |pair: &&&Pair| !fits(pair, to);
        let lost = pairs.iter().filter(|pair| is_direct(pair));
        let lost = lost.filter(wrong).count();
        let unfit = |folder: &&[&Pair]| {
            let deep = folder.iter().filter(|pair| !is_direct(pair));
            deep.filter(wrong).count() > 0
        };
        let rules = folders().filter(unfit).count() + usize::from(to != from_above);
        let right = pairs.len() - pairs.iter().filter(wrong).count();
        (lost + rules, lost, Reverse(right))
    };
    let from = Path::parse(&first.stash.1).beginning(depth);
    let mut rule = from_above;
    if !no_rule_for.contains(&from) {
        let mut least = cost(from_above);
        for to in places(pairs, depth) {
            let cost = cost(Some((depth, to)));
            if cost < least {
                (rule, least) = (Some((depth, to)), cost);
            }
        }
    }
    if let Some((_, to)) = rule.filter(|_| rule != from_above) {
        let there = pairs.iter().find(|pair| pair.leads(depth) == Some(to));
        let to = there.map(|pair| Path::parse(&pair.plex).beginning(to.len()));
        rules.push((from, to.unwrap_or_default()));
    }
    for folder in folders() {
        let deeper = folder.iter().filter(|pair| !is_direct(pair));
        let deeper: Vec<_> = deeper.copied().collect();
        below(&deeper, depth + 1, rule, no_rule_for, rules);
    }
}

/// Where the folder of the first `depth` parts may lead, for the most of the files.
fn places<'p>(pairs: &[&'p Pair], depth: usize) -> Vec<&'p [String]> {
    let mut votes = BTreeMap::<&[String], usize>::new();
    for to in pairs.iter().filter_map(|pair| pair.leads(depth)) {
        *votes.entry(to).or_default() += 1;
    }
    let mut places: Vec<_> = votes.into_iter().collect();
    places.sort_by_key(|(_, votes)| Reverse(*votes));
    places.truncate(PLACES);
    places.into_iter().map(|(to, _)| to).collect()
}

/// Rules in force that decide about none of the files, and are not replaced.
fn unused(
    current: &[(String, String)],
    old: &PathMap,
    pairs: &[Pair],
    new: &[(String, String)],
) -> Vec<(String, String)> {
    let deciding = |pair: &Pair| old.deciding(&pair.stash.1);
    let used: BTreeSet<_> = pairs.iter().filter_map(deciding).collect();
    let replaced: BTreeSet<_> = new.iter().map(|(from, _)| path::key(from)).collect();
    let rules = current.iter().enumerate();
    rules
        .filter(|(nth, (from, _))| !used.contains(nth) && !replaced.contains(&path::key(from)))
        .map(|(_, rule)| rule.clone())
        .collect()
}

fn map(rules: &[(String, String)]) -> PathMap {
    PathMap::new(rules.iter().cloned()).unwrap_or_default()
}

fn scenes<'p>(pairs: impl Iterator<Item = &'p Pair>) -> u64 {
    let scenes: BTreeSet<_> = pairs.map(|pair| pair.stash.0).collect();
    scenes.len() as u64
}
