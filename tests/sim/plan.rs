//! What a seed decides before its world begins: how large, how fast, how hostile. Most seeds leave most troubles out, so that those
//! that are there meet often.

use crate::dice::Dice;
use crate::replica::Rules;

pub const DAY_MS: u64 = 86_400_000;
/// Longer than any world lasts.
const NEVER_MS: u64 = 4_000 * DAY_MS;

#[derive(Clone, Debug)]
pub struct Plan {
    pub nodes: usize,
    pub keys: usize,
    /// The last so many write nothing, and hear little but what they pull; if there are any, only they are restarted.
    pub readers: usize,
    pub steps: usize,
    /// About what passes between two steps.
    pub tick_ms: u64,

    pub horizon_ms: u64,
    pub retention_ms: u64,
    pub peer_timeout_ms: u64,
    pub presence: bool,
    pub max_drift_ms: u64,

    /// In percent.
    pub loss: u64,
    pub repeated: u64,
    pub broken_syncs: u64,
    /// At once.
    pub syncs: usize,
    /// Messages of a sync that arrive one after the other, for each delta that does.
    pub pace: usize,
    pub delay_ms: u64,
    pub partitions: bool,

    pub drift_ppm: i64,
    pub jump_ms: u64,
    pub freezes: bool,
    /// How long nothing may happen at once.
    pub leap_ms: u64,
    pub restarts: bool,
    pub joiners: bool,
    /// Some nodes have disks, and crash.
    pub disks: bool,

    pub validators: bool,
    pub ttl: bool,
    pub batches: bool,
    /// In percent.
    pub removals: u64,
    pub delta_bytes: usize,
    pub page_bytes: usize,
    /// All meet at least so often, and nothing on the network gets older: what origin retention asks for. 0: never.
    pub heal_every_ms: u64,
}

impl Plan {
    /// Nothing goes wrong in it.
    pub fn calm() -> Self {
        Self {
            nodes: 0,
            keys: 0,
            readers: 0,
            steps: 0,
            tick_ms: 1,
            horizon_ms: 7 * DAY_MS,
            retention_ms: 30 * DAY_MS,
            peer_timeout_ms: 30_000,
            presence: false,
            max_drift_ms: 60_000,
            loss: 0,
            repeated: 0,
            broken_syncs: 0,
            syncs: usize::MAX,
            pace: 1,
            delay_ms: 0,
            partitions: false,
            drift_ppm: 0,
            jump_ms: 0,
            freezes: false,
            leap_ms: 0,
            restarts: false,
            joiners: false,
            disks: false,
            validators: false,
            ttl: false,
            batches: false,
            removals: 0,
            delta_bytes: crate::limits::DELTA_TARGET_BYTES,
            page_bytes: crate::limits::PAGE_TARGET_BYTES,
            heal_every_ms: 0,
        }
    }

    pub fn new(dice: &mut Dice) -> Self {
        let tick_ms = dice.pick(&[2, 20, 1_000]);
        let mut plan = Self {
            nodes: match dice.roll(100) {
                0..80 => dice.between(2, 5),
                80..97 => dice.between(6, 10),
                _ => dice.between(11, 32),
            } as usize,
            keys: dice.pick(&[1, 3, 5, 8]),
            readers: 0,
            steps: dice.pick(&[150, 300, 500]),
            tick_ms,
            horizon_ms: dice.pick(&[tick_ms, 10 * tick_ms, 40 * tick_ms, 150 * tick_ms, NEVER_MS]),
            retention_ms: NEVER_MS,
            peer_timeout_ms: dice.pick(&[8 * tick_ms, 40 * tick_ms]),
            presence: dice.chance(20),
            max_drift_ms: dice.pick(&[20 * tick_ms, 60_000, DAY_MS]),
            loss: dice.pick(&[0, 10, 30, 50]),
            repeated: dice.pick(&[0, 20]),
            broken_syncs: dice.pick(&[0, 3, 10]),
            syncs: usize::MAX,
            pace: 1,
            delay_ms: tick_ms * dice.pick(&[0, 3, 30, 300]),
            partitions: dice.chance(60),
            drift_ppm: dice.pick(&[0, 50, 20_000]),
            jump_ms: if dice.chance(20) { dice.pick(&[10 * tick_ms, 3_600_000, 5 * 3_600_000]) } else { 0 },
            freezes: dice.chance(15),
            leap_ms: 0,
            restarts: dice.chance(25),
            joiners: dice.chance(25),
            disks: false,
            validators: dice.chance(15),
            ttl: dice.chance(30),
            batches: dice.chance(40),
            removals: dice.pick(&[5, 40, 60]),
            delta_bytes: dice.pick(&[1, 60, 16_384]),
            page_bytes: dice.pick(&[1, 40, 200, 1_048_576]),
            heal_every_ms: 0,
        };
        plan.leap_ms = match dice.roll(4) {
            0 => plan.horizon_ms.min(29 * DAY_MS),
            1 => 29 * DAY_MS,
            _ => 0,
        };
        if plan.presence {
            // Authors write anew what is half as old as the horizon.
            plan.horizon_ms = plan.horizon_ms.max(100 * tick_ms);
            plan.leap_ms = plan.leap_ms.min(4 * plan.horizon_ms);
        } else if dice.chance(15) {
            plan.with_short_retention(dice);
        } else if dice.chance(20) {
            plan.with_long_pulls(dice);
        }
        plan
    }

    /// Removals are forgotten while pulls, also of everything, are under way.
    fn with_long_pulls(&mut self, dice: &mut Dice) {
        (self.nodes, self.readers) = (3, 1);
        self.keys = 20;
        self.steps = 800;
        self.horizon_ms = self.tick_ms;
        self.removals = 40;
        self.page_bytes = 1;
        self.delta_bytes = dice.pick(&[1, 16_384]);
        self.broken_syncs = 0;
        (self.syncs, self.pace) = (2, 4);
        self.partitions = false;
        self.loss = dice.pick(&[0, 10]);
        self.delay_ms = self.tick_ms * dice.pick(&[3, 30]);
        (self.jump_ms, self.leap_ms, self.freezes) = (0, 0, false);
        // Who starts with nothing pulls everything.
        (self.restarts, self.joiners, self.validators) = (true, false, false);
    }

    /// Origins are pruned soon. No one may be away for longer, and no clock that far off.
    fn with_short_retention(&mut self, dice: &mut Dice) {
        self.retention_ms = self.tick_ms * dice.pick(&[80, 240]);
        self.heal_every_ms = self.retention_ms / 4;
        let bound = self.retention_ms / 16;
        self.horizon_ms = self.horizon_ms.min(self.retention_ms / 2);
        self.delay_ms = self.delay_ms.min(bound);
        self.jump_ms = self.jump_ms.min(bound);
        self.leap_ms = self.leap_ms.min(bound);
        self.drift_ppm = self.drift_ppm.min(50);
        self.freezes = false;
        self.validators = false;
        self.max_drift_ms = DAY_MS;
        self.restarts = true;
    }

    pub fn rules(&self) -> Rules {
        Rules {
            presence: self.presence,
            signed: false,
            tombstone_ttl_ms: self.horizon_ms,
            origin_retention_ms: self.retention_ms,
            peer_timeout_ms: self.peer_timeout_ms,
            max_clock_drift_ms: self.max_drift_ms,
        }
    }
}
