import { useEffect, useState } from 'react';

/** The time in milliseconds, renewed every `every` ms: relative times move without asking the server. */
export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
