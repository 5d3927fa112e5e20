//! Blocks of lines onto pages. Lengths are points, counted from the top left corner.

use qrcode::QrCode;

use crate::text::{Colour, Line, Style};

/// Something drawn, at a place relative to the strip or page that holds it.
#[derive(Clone)]
pub struct Mark {
    pub x: f32,
    pub y: f32,
    pub shape: Shape,
}

/// What is drawn.
#[derive(Clone)]
pub enum Shape {
    /// A line of text; the place is the left end of its baseline.
    Text(Line, Style),
    /// A filled rectangle.
    Fill { width: f32, height: f32, colour: Colour },
    /// A ring with a tick in it, the sign of a checked signature.
    Tick { side: f32, colour: Colour },
    /// A QR code without its quiet zone.
    Code { side: f32, code: QrCode },
    /// An area that opens a web address.
    Link { width: f32, height: f32, url: String },
}

/// A part of a block that no page break divides.
#[derive(Clone, Default)]
pub struct Strip {
    pub height: f32,
    pub marks: Vec<Mark>,
}

/// What belongs together, and stays on one page if it fits there.
#[derive(Clone, Default)]
pub struct Block {
    pub strips: Vec<Strip>,
    /// Painted behind the strips, as high as they are.
    pub back: Vec<Back>,
}

/// A coloured ground behind a block.
#[derive(Clone, Copy)]
pub struct Back {
    pub x: f32,
    pub width: f32,
    pub colour: Colour,
}

impl Block {
    /// Empty space.
    pub fn space(height: f32) -> Self {
        Self { strips: vec![Strip { height, marks: Vec::new() }], back: Vec::new() }
    }

    /// Lines of text, flush left at `x`.
    pub fn text(lines: Vec<Line>, style: Style, x: f32) -> Self {
        let strip = |line| Strip {
            height: style.line_height(),
            marks: vec![Mark { x, y: style.baseline(), shape: Shape::Text(line, style) }],
        };
        Self { strips: lines.into_iter().map(strip).collect(), back: Vec::new() }
    }

    /// Lines of text, each centred within `width` from `x`.
    pub fn centred(lines: Vec<Line>, style: Style, x: f32, width: f32) -> Self {
        let mut block = Self::text(lines, style, x);
        for mark in block.strips.iter_mut().flat_map(|strip| &mut strip.marks) {
            if let Shape::Text(line, _) = &mark.shape {
                mark.x += (width - line.width) / 2.0;
            }
        }
        block
    }

    /// A filled bar.
    pub fn bar(x: f32, width: f32, height: f32, colour: Colour) -> Self {
        let mark = Mark { x, y: 0.0, shape: Shape::Fill { width, height, colour } };
        Self { strips: vec![Strip { height, marks: vec![mark] }], back: Vec::new() }
    }

    /// This block, then `next` under it.
    pub fn then(mut self, next: Self) -> Self {
        self.strips.extend(next.strips);
        self
    }

    /// Two columns that begin at the same height, paired strip by strip; each already stands at its own `x`.
    pub fn beside(mut self, other: Self) -> Self {
        for (index, strip) in other.strips.into_iter().enumerate() {
            match self.strips.get_mut(index) {
                Some(mine) => {
                    mine.height = mine.height.max(strip.height);
                    mine.marks.extend(strip.marks);
                }
                None => self.strips.push(strip),
            }
        }
        self
    }

    /// The same as one strip, which no page break divides.
    pub fn solid(self) -> Self {
        let mut whole = Strip::default();
        for strip in self.strips {
            whole.marks.extend(strip.marks.into_iter().map(|mark| Mark { y: mark.y + whole.height, ..mark }));
            whole.height += strip.height;
        }
        Self { strips: vec![whole], back: self.back }
    }

    /// The same on a coloured ground.
    pub fn on(mut self, back: Back) -> Self {
        self.back.push(back);
        self
    }

    pub fn height(&self) -> f32 {
        self.strips.iter().map(|strip| strip.height).sum()
    }
}

/// Where the body of a page begins and ends.
#[derive(Clone, Copy)]
pub struct Frame {
    pub top: f32,
    pub bottom: f32,
}

/// Pages being filled from top to bottom.
pub struct Flow {
    pages: Vec<Vec<Mark>>,
    frame: Frame,
    following: Frame,
    y: f32,
}

impl Flow {
    /// `first` is the body of the first page, `following` that of all others.
    pub fn new(first: Frame, following: Frame) -> Self {
        Self { pages: vec![Vec::new()], frame: first, following, y: first.top }
    }

    /// Puts a block under the last one; on the next page if it fits there and not here; else divided between strips.
    pub fn place(&mut self, block: Block) {
        let height = block.height();
        let fits_here = self.y + height <= self.frame.bottom;
        let fits_alone = height <= self.following.bottom - self.following.top;
        if !fits_here && fits_alone {
            self.break_page();
        }
        let mut run_top = self.y;
        for strip in block.strips {
            if self.y + strip.height > self.frame.bottom && self.y > self.frame.top {
                self.ground(&block.back, run_top);
                self.break_page();
                run_top = self.y;
            }
            let y = self.y;
            self.page().extend(strip.marks.into_iter().map(|mark| Mark { y: mark.y + y, ..mark }));
            self.y += strip.height;
        }
        self.ground(&block.back, run_top);
    }

    /// Empty space, dropped at the top of a page.
    pub fn space(&mut self, height: f32) {
        if self.y > self.frame.top {
            self.y += height;
        }
    }

    /// The marks of each page.
    pub fn finish(self) -> Vec<Vec<Mark>> {
        self.pages
    }

    fn page(&mut self) -> &mut Vec<Mark> {
        self.pages.last_mut().expect("there is always a page")
    }

    fn break_page(&mut self) {
        self.pages.push(Vec::new());
        self.frame = self.following;
        self.y = self.frame.top;
    }

    /// Paints grounds from `top` to here, behind all that the page holds.
    fn ground(&mut self, backs: &[Back], top: f32) {
        let height = self.y - top;
        for Back { x, width, colour } in backs.iter().rev().copied() {
            self.page().insert(0, Mark { x, y: top, shape: Shape::Fill { width, height, colour } });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Frame = Frame { top: 50.0, bottom: 100.0 };
    const FOLLOWING: Frame = Frame { top: 10.0, bottom: 100.0 };

    fn block(heights: &[f32]) -> Block {
        let colour = Colour(0, 0, 0);
        heights.iter().fold(Block::default(), |block, height| block.then(Block::bar(0.0, 1.0, *height, colour)))
    }

    fn tops(flow: Flow) -> Vec<Vec<f32>> {
        flow.finish().into_iter().map(|page| page.into_iter().map(|mark| mark.y).collect()).collect()
    }

    #[test]
    fn a_block_that_does_not_fit_moves_whole_to_the_next_page() {
        let mut flow = Flow::new(FIRST, FOLLOWING);
        flow.place(block(&[30.0]));
        flow.place(block(&[15.0, 15.0]));
        assert_eq!(tops(flow), [vec![50.0], vec![10.0, 25.0]]);
    }

    #[test]
    fn a_block_higher_than_a_page_is_divided_between_strips() {
        let mut flow = Flow::new(FIRST, FOLLOWING);
        flow.place(block(&[40.0; 5]).on(Back { x: 0.0, width: 9.0, colour: Colour(9, 9, 9) }));
        // On each page: the ground first, then the strips on it.
        assert_eq!(tops(flow), [vec![50.0, 50.0], vec![10.0, 10.0, 50.0], vec![10.0, 10.0, 50.0]]);
    }

    #[test]
    fn a_strip_higher_than_a_page_gets_a_page_and_no_endless_loop() {
        let mut flow = Flow::new(FIRST, FOLLOWING);
        flow.place(block(&[500.0, 20.0]));
        assert_eq!(tops(flow), [vec![50.0], vec![10.0]]);
    }
}
