import { useState } from 'react';

type Props = { title: string };

/** A panel. */
export const Panel = ({ title }: Props) => {
  const [open, setOpen] = useState(false);
  return <section onClick={() => setOpen(!open)}>{title}</section>;
};

export const Memo = React.memo(function Memo(props: Props) {
  return <Panel {...props} />;
});
