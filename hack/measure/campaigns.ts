import type { Campaign } from "./campaign.ts";
import { coldStarts } from "./campaigns/cold-starts.ts";

export const campaigns: readonly Campaign[] = [coldStarts];
