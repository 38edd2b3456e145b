/** How many of `voters` must agree. */
export const majorityOf = (voters: number): number => Math.floor(voters / 2) + 1;
