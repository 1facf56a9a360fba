//! Lays a stream of tokens out in lines of at most 120 characters, with the comments in their places.
//!
//! The stream is flat: groups are marks in it, so nothing recurses and all widths are differences of running sums.

use super::tree::Comment;

/// Lines are no longer than this, in characters, if they can be broken.
const WIDTH: usize = 120;

/// A token, a place where a line may be broken, or a mark.
#[derive(Debug)]
enum Op {
    /// A token; the number is its place in the source, 0 if that is not known.
    Text(String, usize),
    /// A blank that is no place to break at.
    Space,
    /// A line break if the group is broken, else so many blanks.
    Line(usize),
    /// A line break if what follows does not fit into the line, else a blank.
    Fill,
    /// A comma if the group is broken.
    Comma,
    /// Comments before this place of the source go here.
    Flush(usize),
    Begin,
    End,
    In,
    Out,
    /// A new line for a declaration, a rule or a step that begins at that place.
    Next {
        at: usize,
        /// The first of its block.
        first: bool,
        /// At least one blank line before it.
        apart: bool,
    },
    /// The end of a block whose brace is at that place.
    Close {
        at: usize,
        /// Nothing but comments is in it.
        empty: bool,
    },
}

/// A stream of tokens with what is needed to lay it out.
#[derive(Debug)]
pub(super) struct Layout<'s> {
    source: &'s str,
    comments: &'s [Comment],
    ops: Vec<Op>,
}

impl<'s> Layout<'s> {
    pub fn new(source: &'s str, comments: &'s [Comment]) -> Layout<'s> {
        Layout { source, comments, ops: Vec::new() }
    }

    /// Whether a comment begins in that stretch of the source.
    pub fn has_comment(&self, from: usize, to: usize) -> bool {
        self.comments.iter().any(|comment| (from..to).contains(&(comment.span.start as usize)))
    }

    /// A token that stands at `at` in the source; comments before that place come before it.
    pub fn text(&mut self, text: impl Into<String>, at: usize) {
        self.ops.push(Op::Text(text.into(), at));
    }

    pub fn space(&mut self) {
        self.ops.push(Op::Space);
    }

    pub fn line(&mut self, blanks: usize) {
        self.ops.push(Op::Line(blanks));
    }

    pub fn fill(&mut self) {
        self.ops.push(Op::Fill);
    }

    pub fn comma_if_broken(&mut self) {
        self.ops.push(Op::Comma);
    }

    pub fn flush(&mut self, at: usize) {
        self.ops.push(Op::Flush(at));
    }

    pub fn begin(&mut self) {
        self.ops.push(Op::Begin);
    }

    pub fn end(&mut self) {
        self.ops.push(Op::End);
    }

    pub fn indent(&mut self) {
        self.ops.push(Op::In);
    }

    pub fn outdent(&mut self) {
        self.ops.push(Op::Out);
    }

    pub fn next(&mut self, at: usize, first: bool, apart: bool) {
        self.ops.push(Op::Next { at, first, apart });
    }

    pub fn close(&mut self, at: usize, empty: bool) {
        self.ops.push(Op::Close { at, empty });
    }

    /// Whether the lines before a place of the source are blank.
    pub fn blank_before(&self, at: usize) -> bool {
        let before = self.source.get(..at).unwrap_or("");
        let gap = before.get(before.trim_end_matches(BLANKS).len()..).unwrap_or("");
        gap.bytes().filter(|b| *b == b'\n').count() > 1
    }

    /// Whether a blank line lies between two places, with nothing but comments between them.
    pub fn blank_between(&self, from: usize, to: usize) -> bool {
        let after = self.comments.partition_point(|c| (c.span.start as usize) < from);
        let gap = self.comments.iter().skip(after).map(|c| c.span.start as usize).take_while(|at| *at < to);
        gap.filter(|at| self.comments_own_line(*at)).any(|at| self.blank_before(at)) || self.blank_before(to)
    }

    fn comments_own_line(&self, at: usize) -> bool {
        let index = self.comments.partition_point(|c| (c.span.start as usize) < at);
        self.comments.get(index).is_some_and(|c| c.own_line)
    }

    /// The place of `bracket` if it is the next thing after a place of the source, else 0.
    pub fn bracket_after(&self, at: usize, bracket: char) -> usize {
        let mut at = at;
        loop {
            let rest = self.source.get(at..).unwrap_or("");
            let trimmed = rest.trim_start_matches(BLANKS);
            at += rest.len() - trimmed.len();
            match trimmed.chars().next() {
                Some('#') => at += trimmed.find('\n').unwrap_or(trimmed.len()),
                Some(found) if found == bracket => return at,
                _ => return 0,
            }
        }
    }

    /// The place of `bracket` if it is the last thing before a place of the source, else 0.
    pub fn bracket_before(&self, at: usize, bracket: char) -> usize {
        let mut end = at;
        loop {
            end = self.source.get(..end).map_or(0, |t| t.trim_end_matches(BLANKS).len());
            let comment = self.comments.partition_point(|c| (c.span.start as usize) < end).checked_sub(1);
            let comment = comment.and_then(|index| self.comments.get(index)).map(|c| c.span.start as usize);
            match comment.filter(|start| !self.source.get(*start..end).unwrap_or("\n").contains('\n')) {
                Some(start) => end = start,
                None if self.source.get(..end).is_some_and(|t| t.ends_with(bracket)) => {
                    return end - bracket.len_utf8();
                }
                None => return 0,
            }
        }
    }

    pub fn finish(self) -> String {
        let table = Table::new(&self.ops, self.comments);
        let mut page = Page::new(&self);
        for (index, op) in self.ops.iter().enumerate() {
            page.op(index, op, &table);
        }
        page.block_comments(self.comments.len(), false, false, self.source.len());
        page.out.push('\n');
        page.out
    }
}

/// What counts as blank in the language.
const BLANKS: [char; 5] = [' ', '\t', '\r', '\n', '\u{FEFF}'];

/// Running sums over the stream.
struct Table {
    /// Width of everything before an entry, if no line is broken.
    width: Vec<usize>,
    /// How many entries before this one have comments before them.
    noted: Vec<usize>,
    /// Index of the next place where a line may break, at or after an entry.
    line: Vec<usize>,
    /// Index of the next token at or after an entry.
    token: Vec<usize>,
    /// Where the group that begins at an entry ends.
    end: Vec<usize>,
    /// One past the last comment before an entry.
    comments: Vec<usize>,
}

impl Table {
    fn new(ops: &[Op], comments: &[Comment]) -> Table {
        let length = ops.len();
        let mut table = Table {
            width: vec![0],
            noted: vec![0],
            line: vec![length; length + 1],
            token: vec![length; length + 1],
            end: vec![0; length],
            comments: Vec::with_capacity(length),
        };
        let (mut width, mut noted, mut comment) = (0usize, 0usize, 0usize);
        let mut open = Vec::new();
        for (index, op) in ops.iter().enumerate() {
            let at = match op {
                Op::Text(_, at) | Op::Flush(at) | Op::Next { at, .. } | Op::Close { at, .. } => *at,
                _ => 0,
            };
            let before = comment;
            while comments.get(comment).is_some_and(|c| (c.span.start as usize) < at) {
                comment += 1;
            }
            noted += usize::from(comment > before);
            table.comments.push(comment);
            width += match op {
                Op::Text(text, _) => text.chars().count(),
                Op::Space | Op::Fill => 1,
                Op::Line(blanks) => *blanks,
                _ => 0,
            };
            match op {
                Op::Begin => open.push(index),
                Op::End => {
                    if let Some(end) = open.pop().and_then(|begin| table.end.get_mut(begin)) {
                        *end = index;
                    }
                }
                _ => {}
            }
            table.width.push(width);
            table.noted.push(noted);
        }
        let (mut line, mut token) = (length, length);
        for (index, op) in ops.iter().enumerate().rev() {
            match op {
                Op::Line(_) | Op::Fill | Op::Next { .. } | Op::Close { .. } => line = index,
                Op::Text(text, _) if !text.is_empty() => token = index,
                _ => {}
            }
            if let (Some(l), Some(t)) = (table.line.get_mut(index), table.token.get_mut(index)) {
                (*l, *t) = (line, token);
            }
        }
        table
    }

    fn of(sums: &[usize], index: usize) -> usize {
        sums.get(index).copied().unwrap_or(0)
    }

    /// Width of what stands between an entry and the next place where a line may break.
    fn word(&self, index: usize) -> usize {
        let line = Table::of(&self.line, index + 1);
        Table::of(&self.width, line).saturating_sub(Table::of(&self.width, index + 1))
    }

    /// Whether a comment stands inside the group that begins at an entry.
    fn has_comments(&self, begin: usize) -> bool {
        let first = Table::of(&self.token, begin) + 1;
        Table::of(&self.noted, Table::of(&self.end, begin)) > Table::of(&self.noted, first)
    }

    /// Width of a group on one line, with what cannot be parted from it.
    fn flat(&self, begin: usize) -> usize {
        let line = Table::of(&self.line, Table::of(&self.end, begin));
        Table::of(&self.width, line).saturating_sub(Table::of(&self.width, begin))
    }
}

/// What has been written.
struct Page<'p> {
    layout: &'p Layout<'p>,
    out: String,
    indent: usize,
    /// Characters in the line.
    column: usize,
    /// Line breaks to be written before anything else is.
    breaks: usize,
    /// Indentation of the line after them.
    line_indent: usize,
    /// A blank to be written before the next token.
    space: usize,
    /// The line ends in a comment.
    commented: bool,
    /// Nothing of a new declaration, rule or step has been written.
    fresh: bool,
    /// Comments written.
    comment: usize,
    /// Of the groups around this place: whether they are broken.
    broken: Vec<bool>,
}

impl<'p> Page<'p> {
    fn new(layout: &'p Layout<'p>) -> Page<'p> {
        Page {
            layout,
            out: String::new(),
            indent: 0,
            column: 0,
            breaks: 0,
            line_indent: 0,
            space: 0,
            commented: false,
            fresh: false,
            comment: 0,
            broken: Vec::new(),
        }
    }

    fn op(&mut self, index: usize, op: &Op, table: &Table) {
        let broken = self.broken.last().copied().unwrap_or(true);
        let comments = Table::of(&table.comments, index);
        match op {
            Op::Text(text, _) => {
                self.inner_comments(comments);
                self.write(text);
            }
            Op::Flush(_) => self.inner_comments(comments),
            Op::Space => self.space = self.space.max(1),
            Op::Line(_) if broken => self.newline(1),
            Op::Line(blanks) => self.space = self.space.max(*blanks),
            Op::Fill if broken && self.column + 1 + table.word(index) > WIDTH => self.newline(1),
            Op::Fill => self.space = self.space.max(1),
            Op::Comma if broken => self.write(","),
            Op::Comma => {}
            Op::Begin => {
                let column = if self.breaks > 0 { self.line_indent } else { self.column + self.space };
                self.broken.push(broken && (table.has_comments(index) || column + table.flat(index) > WIDTH));
            }
            Op::End => {
                self.broken.pop();
            }
            Op::In => self.indent += 2,
            Op::Out => self.indent = self.indent.saturating_sub(2),
            Op::Next { at, first, apart } => self.block_comments(comments, *first, *apart, *at),
            Op::Close { empty: true, .. } if comments == self.comment => {}
            Op::Close { at, empty } => {
                self.block_comments(comments, *empty, false, *at);
                (self.breaks, self.line_indent) = (1, self.indent.saturating_sub(2));
            }
        }
    }

    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.breaks > 0 && !self.out.is_empty() {
            for _ in 0..self.breaks {
                self.out.push('\n');
            }
            for _ in 0..self.line_indent {
                self.out.push(' ');
            }
            self.column = self.line_indent;
        } else if !self.out.is_empty() {
            for _ in 0..self.space {
                self.out.push(' ');
            }
            self.column += self.space;
        }
        (self.breaks, self.space, self.commented, self.fresh) = (0, 0, false, false);
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn newline(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
        self.line_indent = self.indent;
        self.space = 0;
    }

    fn comment(&mut self, comment: &Comment, breaks: usize) {
        let (fresh, indent) = (self.fresh, self.line_indent);
        if fresh {
            self.write(&comment.text);
        } else if comment.own_line || self.commented || self.out.is_empty() {
            self.newline(breaks);
            self.write(&comment.text);
        } else {
            self.out.push_str("  ");
            self.out.push_str(&comment.text);
        }
        self.commented = true;
        self.newline(1);
        if fresh {
            // What it stands before still begins where it would have begun.
            (self.fresh, self.line_indent) = (true, indent);
        }
    }

    /// Comments between the tokens of one declaration, rule or step.
    fn inner_comments(&mut self, until: usize) {
        for comment in self.layout.comments.get(self.comment..until).unwrap_or(&[]) {
            self.comment(comment, 1);
        }
        self.comment = self.comment.max(until);
    }

    /// Comments before a declaration, a rule, a step, the end of a block or of the file, and the line break to it.
    fn block_comments(&mut self, until: usize, first: bool, apart: bool, at: usize) {
        self.fresh = false;
        let layout = self.layout;
        let comments = layout.comments.get(self.comment..until).unwrap_or(&[]);
        let blank = |comment: &Comment| layout.blank_before(comment.span.start as usize);
        let has_blank = layout.blank_before(at) || comments.iter().any(|c| c.own_line && blank(c));
        let mut wanted = apart && !first && !has_blank;
        let mut first = first;
        for comment in comments {
            let apart = comment.own_line && (blank(comment) || wanted);
            let breaks = if !first && apart { 2 } else { 1 };
            if comment.own_line || self.commented {
                wanted &= !comment.own_line;
                first = false;
            }
            self.comment(comment, breaks);
        }
        self.comment = self.comment.max(until);
        self.newline(if !first && (layout.blank_before(at) || wanted) { 2 } else { 1 });
        self.fresh = true;
    }
}
